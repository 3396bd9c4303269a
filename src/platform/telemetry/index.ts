export { createLogger, silentLogger, type Logger } from './logger.js';
export { durations, Metrics, type EndedOperation } from './metrics.js';
