export { startServices, type Services, type ServicesHealth, type ServicesOptions } from './services.js';
export type { ServiceHealth } from './supervised-process.js';
export { lockHome, type HomeLock } from './home-lock.js';
export { openHome, removeHome } from './home.js';
