/** Engines elsewhere that answer before the worker does. */
export { fleetDomain, openFleet, type FleetSettings, type OpenFleet } from './open.js';
export type { Engine } from './engine.js';
