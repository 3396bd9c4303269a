/** Deletes what must leave no trace, wherever a domain keeps a copy of it, as a run. */
export { Erasure } from './erasure.js';
export { erasedRecords, erasureReport, type ErasureReport } from './erasure-report.js';
export { erasing, erasureOf, requestErasure, type ErasureResult } from './erasure-run.js';
export type { Dependant, ErasedDocument, Holder, ErasableSubject, Traces } from './holder.js';
