/** Deletes what must leave no trace, wherever a domain keeps a copy of it, as a run. */
export { Erasure } from './erasure.js';
export {
  ErasureReport as ErasureReportType,
  erasureResolvers,
  erasureRuns,
  toErasureReport,
} from './erasure-graphql.js';
export type { ErasureReport } from './erasure-report.js';
export { erasureOf, requestErasure, type ErasureResult } from './erasure-run.js';
export type { Dependant, ErasedDocument, Holder, Subject, Traces } from './holder.js';
