/** How answers are over time: series, drift, alerts, and who is told. */
/** For who measures how soon a shift is noticed: bench/drift.ts. */
export { driftReplay } from './drift/replay.js';
export { monitoringDomain, openMonitoring, type Monitoring } from './open.js';
export { Roller } from './series/roller.js';
export { SeriesService, type SeriesInput } from './series/series-service.js';
export { SeriesStore } from './series/series-store.js';
export type { AlertService } from './alerts/alert-service.js';
