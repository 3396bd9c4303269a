export * from './messages.js';
export * from './operations.js';
export * from './options.js';
export * from './validation.js';
export * from './version.js';
