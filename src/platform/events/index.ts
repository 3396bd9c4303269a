/** Stored events that subscribers follow, and the wake-up calls between gateways. */
export { EventLog, type FollowOptions, type Json, type StoredEvent } from './event-log.js';
export { notify, pause } from './wake-ups.js';
