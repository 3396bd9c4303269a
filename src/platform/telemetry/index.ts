export { createLogger, silentLogger, type Logger, type LoggerOptions } from './logger.js';
export { Metrics, type EndedOperation, type GaugeSource, type Sample } from './metrics.js';
export { loggedError } from './redaction.js';
