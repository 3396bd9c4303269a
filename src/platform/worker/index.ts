export type { CallOptions, WorkerClient, WorkerState, WorkerStatus } from './worker-client.js';
