/*
 * What jest-light-runner lacks and the tests need. It runs files in bare Node, without a vm for each: their modules load once a process, and what a file
 * leaves behind would reach the next one. So each file begins with the environment and the functions that the process began with.
 */
import { ModernFakeTimers } from '@jest/fake-timers';
import fc from 'fast-check';
import { addEventHandler, getState } from 'jest-circus';

const DEFAULT_TIMEOUT_MS = 60_000;

// A gate draws the same each time, so that it refuses a change for nothing that the change didn't do. Elsewhere each run draws anew, and a failure prints its seed.
fc.configureGlobal({
  numRuns: 100 * Number(process.env.GRAFT_TEST_DRAWS ?? 1),
  ...(process.env.CI && { seed: 20_261_130 }),
});

const environment = { ...process.env };
const timers = new ModernFakeTimers({ global: globalThis, config: { fakeTimers: {} } });
/** Circus makes a state for each file. */
let file;
let timeoutMs = DEFAULT_TIMEOUT_MS;

function beginFile() {
  if (getState() === file) return;
  file = getState();
  timeoutMs = DEFAULT_TIMEOUT_MS;
  jest.restoreAllMocks();
  timers.useRealTimers();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}

Object.assign(jest, {
  setTimeout(ms) {
    beginFile();
    timeoutMs = ms;
  },
  useFakeTimers: (config) => timers.useFakeTimers(config),
  useRealTimers: () => timers.useRealTimers(),
  setSystemTime: (now) => timers.setSystemTime(now),
  advanceTimersByTime: (ms) => timers.advanceTimersByTime(ms),
  advanceTimersByTimeAsync: (ms) => timers.advanceTimersByTimeAsync(ms),
});

// Captured here, since tests replace them.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;

/** Rejections that nobody handles: they would end the process, and with it the files that follow. They fail the test in which they come. */
const unhandled = new Map();
process.on('unhandledRejection', (reason, promise) => unhandled.set(promise, reason));
process.on('rejectionHandled', (promise) => unhandled.delete(promise));

/** The same function, failing when it takes longer. */
function within(run, ms) {
  if (typeof run !== 'function' || run.length > 0) return run;
  return async () => {
    let timer;
    const late = new Promise((_, reject) => {
      timer = startTimer(() => reject(new Error(`Exceeded its time limit of ${ms} ms.`)), ms);
    });
    try {
      const result = await Promise.race([run(), late]);
      if (unhandled.size > 0) throw new Error('A rejection was not handled.', { cause: [...unhandled.values()][0] });
      return result;
    } finally {
      unhandled.clear();
      stopTimer(timer);
    }
  };
}

addEventHandler(({ name, timeout }, { currentDescribeBlock }) => {
  if (name !== 'add_test' && name !== 'add_hook') return;
  beginFile();
  const added = (name === 'add_test' ? currentDescribeBlock.tests : currentDescribeBlock.hooks).at(-1);
  added.fn = within(added.fn, timeout ?? timeoutMs);
});
