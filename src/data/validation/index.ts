/** What is checked before a version is usable. */
export { validationReport, type Problem, type ProblemRow, type ValidationReport } from './report.js';
export { Severity, type Rule, type TokenCounter, type ValidationSettings, type VersionFinding } from './rule.js';
export { RULES } from './rules/index.js';
