export { startServices, type Services, type ServicesHealth } from './services.js';
export type { ServiceHealth } from './supervised-process.js';
export { HomeInUse, lockHome } from './home-lock.js';
export { runningChroma } from './chroma.js';
export { runningPostgres } from './postgres.js';
export { removeHome } from './home.js';
export { databaseOutside } from './postgres-home.js';
