/** The API to erasures; what does them, and what holders register with, is src/platform/erasure. */
export { ErasureReport as ErasureReportType, toErasureReport } from './erasure-graphql.js';
export { erasureDomain, openErasure } from './open.js';
