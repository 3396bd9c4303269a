import type { Operations, WorkerRole } from './operation.js';

/** What the worker that trains can be asked; its handlers are in `gpu-worker/train.ts`. */
export const trainOperations = {} satisfies Operations;
export type TrainOperations = typeof trainOperations;
export const trainRole: WorkerRole<TrainOperations> = { name: 'train', operations: trainOperations };
