/*
 * jest-light-runner 0.8.2 for child processes, with a gap closed: a process asks for its settings once, and the first that asks makes the runner send them to all,
 * also to those that don't listen yet. Such a one then waited for ever for what it had been sent. So each keeps what comes early, in `light-worker.mjs`.
 */
import { createRunner } from 'jest-light-runner';

const preload = new URL('light-worker.mjs', import.meta.url).href;
const { NODE_OPTIONS = '' } = process.env;
// Processes are made with this environment; `light-worker.mjs` takes the option out again.
process.env.NODE_OPTIONS = `${NODE_OPTIONS} --import=${preload}`.trim();

export default createRunner({ runtime: 'child_process' });
