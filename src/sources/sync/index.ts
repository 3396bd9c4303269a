/** Sources of collections: what a collection has of another place, kept by the list of all that is there. */
export { openSync, syncDomain, type OpenSync } from './open.js';
export { isStale } from './source.js';
