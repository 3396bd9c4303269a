export * from './messages.js';
export * from './model-files.js';
export * from './operation.js';
export * from './options.js';
export * from './serve-operations.js';
export * from './train-operations.js';
export * from './validation.js';
export * from './version.js';
