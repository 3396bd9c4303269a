// Prints one line a test file with the time that is left, every failure in full, every skipped test with its reason, then the ten slowest files,
// once more what failed, and as the last line `N passed, N failed` (and `, N skipped` when there are any). A run that is ended early says what it had.
import { planned, sourceOf, secondsOf } from './seconds.mjs';

const SLOWEST = 10;
const NAMED_FROM_SECONDS = 15;
/** A test that takes longer is named below its file. */
const SLOW_TEST_SECONDS = 60;

export default class Reporter {
  constructor(globalConfig) {
    this.root = globalConfig.rootDir;
    this.workers = globalConfig.maxWorkers;
    this.files = [];
    this.running = new Map();
    this.failures = [];
    this.counts = { passed: 0, failed: 0, skipped: 0 };
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.once(signal, () => {
        console.log(`\nEnded early, after ${this.files.length} files.`);
        this.sum();
        process.exit(1);
      });
  }

  onRunStart(results) {
    this.total = results.numTotalTestSuites;
    this.started = Date.now();
  }

  onTestFileStart(test) {
    this.running.set(sourceOf(test.path, this.root), Date.now());
  }

  onTestResult(test, result) {
    const path = sourceOf(test.path, this.root);
    this.running.delete(path);
    planned.delete(path);
    const seconds = (result.perfStats.end - result.perfStats.start) / 1000;
    const failed = result.numFailingTests > 0 || Boolean(result.testExecError);
    this.files.push({ path, seconds });
    this.counts.passed += result.numPassingTests;
    // A file that can't even be loaded has no tests to count, but it is a failure.
    this.counts.failed += result.numFailingTests + (result.testExecError ? 1 : 0);
    this.counts.skipped += result.numPendingTests;
    const outcome = `${failed ? 'FAIL' : 'ok  '} ${path} (${result.numPassingTests} passed, ${seconds.toFixed(1)} s)`;
    console.log(`${outcome}${this.left()}`);
    if (failed) console.log(result.failureMessage ?? result.testExecError?.stack);
    for (const { status, fullName, duration } of result.testResults) {
      if (status === 'pending') console.log(`  skipped: ${fullName}`);
      if (status === 'failed') this.failures.push(`${path}: ${fullName}`);
      if (duration > 1000 * SLOW_TEST_SECONDS) console.log(`  ${(duration / 1000).toFixed(0)} s  ${fullName}`);
    }
    if (failed && result.numFailingTests === 0) this.failures.push(path);
  }

  /** How far the run is, by what its files took when they were measured. */
  left() {
    const known = this.files.reduce((sum, { path }) => sum + secondsOf(path), 0);
    if (this.files.length < 10 || this.total < 20) return '';
    const share = known / (known + this.remaining());
    const minutes = ((Date.now() - this.started) / 60_000) * (1 / share - 1);
    return `  ${this.files.length}/${this.total}, about ${Math.max(1, Math.round(minutes))} min left`;
  }

  /** Seconds of the files to come, and what is left of those under way. */
  remaining() {
    const rest = [...planned].map((path) => {
      const began = this.running.get(path) ?? Date.now();
      return Math.max(0, secondsOf(path) - (Date.now() - began) / 1000);
    });
    return rest.reduce((sum, seconds) => sum + seconds, 0);
  }

  onRunComplete() {
    const slowest = this.files.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
    if (this.files.length > SLOWEST) {
      console.log('\nThe slowest files:');
      for (const { path, seconds } of slowest) console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${path}`);
    }
    for (const { path, seconds } of slowest)
      if (seconds > 3 * NAMED_FROM_SECONDS && secondsOf(path) === secondsOf(''))
        console.log(`Name ${path} in test/support/seconds.json where it takes as much alone.`);
    this.sum();
  }

  sum() {
    const { passed, failed, skipped } = this.counts;
    if (this.failures.length > 0) console.log(`\nFailed:\n${this.failures.map((name) => `  ${name}`).join('\n')}`);
    console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}
