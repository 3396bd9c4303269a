export { WorkerState } from './worker-client.js';
export type { CallOptions, WorkerClient, WorkerStatus } from './worker-client.js';
export { charging } from './charging.js';
export { followCall } from './follow-call.js';
export { inBulk } from './in-bulk.js';
export { MeasurementStore } from './measurement-store.js';
export { ServeWorker, type ServeWorkerOptions } from './serve-worker.js';
export { TrainWorker, type TrainClient } from './train-worker.js';
export { WorkerSupervisor, type SupervisorOptions } from './worker-supervisor.js';
