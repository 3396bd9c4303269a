/*
 * The runner of all tests: jest-light-runner 0.8.2 in child processes, without a race of its start. A process asks for its settings once. The first that asks
 * makes the runner send them to all, also to those that don't listen yet, and nobody is sent them again: a process that started late waited for ever.
 * So each process keeps what comes before it asks (`light-worker.mjs`).
 */
import { createRunner } from 'jest-light-runner';

const preload = new URL('light-worker.mjs', import.meta.url).href;
const { NODE_OPTIONS = '' } = process.env;
// Processes are made with this environment; `light-worker.mjs` takes the option out again.
process.env.NODE_OPTIONS = `${NODE_OPTIONS} --import=${preload}`.trim();

export default createRunner({ runtime: 'child_process' });
