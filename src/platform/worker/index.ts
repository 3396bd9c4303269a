export type { CallOptions, WorkerClient, WorkerState, WorkerStatus } from './worker-client.js';
export { WorkerSupervisor, type SupervisorOptions } from './worker-supervisor.js';
