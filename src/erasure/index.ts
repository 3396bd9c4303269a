/** Deletes what must leave no trace, wherever a domain keeps a copy of it. */
export { combined, Erasure, type ErasureReport, type KeptFile } from './erasure.js';
export { ErasureReport as ErasureReportType, toErasureReport } from './erasure-graphql.js';
export type { Dependant, ErasedDocument, Holder, Traces } from './holder.js';
