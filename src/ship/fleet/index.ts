/** Engines elsewhere that answer before the worker does. */
export { fleetDomain, openFleet } from './open.js';
export type { Engine } from './engine.js';
