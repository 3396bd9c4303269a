export { createLogger, silentLogger, type Logger, type LoggerOptions } from './logger.js';
export { loggedError } from './redaction.js';
