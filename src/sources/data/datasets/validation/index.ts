/** What is checked before a version is usable. */
export {
  problem,
  problemRow,
  validationReport,
  type Problem,
  type ProblemRow,
  type ValidationReport,
} from './report.js';
export { Severity, type TokenCounter } from './rule.js';
