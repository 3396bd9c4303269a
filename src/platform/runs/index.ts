/** Long work: see the prose at the top of run-queue.ts. */
export { RunQueue, type RunQueueOptions } from './run-queue.js';
export type { AroundRun } from './runner.js';
export { defineRunKind, type ContextOf, type HandledKind } from './run-kind.js';
export { isPassing } from './judge.js';
export { runEnd } from './begun-run.js';
export { isFinished, runStream, type NewRun, type RunRow } from './run.js';
export { takenKinds } from './taken-kinds.js';
