export { WorkerState, type CallOptions, type WorkerClient, type WorkerStatus } from './worker-client.js';
export { WorkerSupervisor, type SupervisorOptions } from './worker-supervisor.js';
