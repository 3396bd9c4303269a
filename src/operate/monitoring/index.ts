/** How answers are over time: series, drift, alerts, and who is told. */
/** For who measures how soon and how often they alarm: bench/drift.ts, bench/decisions. */
export { FRESH, stepRule, type Rule } from './alerts/rule.js';
export { driftReplay } from './drift/replay.js';
export { monitoringDomain, openMonitoring, type Monitoring } from './open.js';
export { Roller } from './series/roller.js';
export { SeriesService, type SeriesInput } from './series/series-service.js';
export { SeriesStore } from './series/series-store.js';
export type { AlertService } from './alerts/alert-service.js';
