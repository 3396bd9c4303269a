// Prints one line a test file, every failure in full, every skipped test with its reason, and as the last line
// `N passed, N failed` (and `, N skipped` when there are any).
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const SECONDS = JSON.parse(readFileSync(new URL('seconds.json', import.meta.url), 'utf8'));
/** What the files take at least that `seconds.json` names; beside others all take longer. */
const LONG_SECONDS = 45;

export default class Reporter {
  constructor(globalConfig) {
    this.root = globalConfig.rootDir;
    this.runErrors = 0;
  }

  onTestResult(test, result) {
    const path = relative(this.root, test.path);
    const seconds = ((result.perfStats.end - result.perfStats.start) / 1000).toFixed(1);
    const failed = result.numFailingTests > 0 || result.testExecError;
    const { numPassingTests: passed } = result;
    console.log(`${failed ? 'FAIL' : 'ok  '} ${path} (${passed} passed, ${seconds} s)`);
    if (!failed && seconds > LONG_SECONDS && SECONDS[path] === undefined)
      console.log('  long: name it in test/support/seconds.json where it takes as much alone');
    for (const { type, message, origin } of result.console ?? [])
      if (failed || type === 'error') console.log(`  console.${type}: ${message}\n${failed ? origin : ''}`);
    if (failed) console.log(result.failureMessage);
    for (const each of result.testResults)
      if (each.status === 'pending' || each.status === 'todo') console.log(`  skipped: ${each.fullName}`);
  }

  onRunComplete(_contexts, results) {
    // A file that can't even be loaded has no tests to count, but it is a failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    console.log(`\n${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}
