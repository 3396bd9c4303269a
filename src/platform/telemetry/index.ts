export { createLogger, silentLogger, type Logger } from './logger.js';
export { counts, durations, Metrics, type EndedOperation, type GaugeSource } from './metrics.js';
