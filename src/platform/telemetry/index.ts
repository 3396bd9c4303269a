export { createLogger, silentLogger, type Logger } from './logger.js';
export { Metrics, type EndedOperation } from './metrics.js';
