/** Long work: see the prose at the top of run-queue.ts. */
export { RunQueue, type RunQueueOptions } from './run-queue.js';
export {
  isFinished,
  LeaseLost,
  runStream,
  type NewRun,
  type RunContext,
  type RunFilter,
  type RunHandler,
} from './run.js';
export type { RunKind, RunRow, RunStatus } from './run.js';
