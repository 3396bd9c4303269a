/** Long work: see the prose at the top of run-queue.ts. */
export { RunQueue, type RunQueueOptions } from './run-queue.js';
export { defineRunKind, type AnyRunKind, type ContextOf, type HandledKind } from './run-kind.js';
export type { RunContext } from './run-context.js';
export { isFinished, LeaseLost, runStream, type NewRun, type RunFilter, type RunRow, type RunStatus } from './run.js';
