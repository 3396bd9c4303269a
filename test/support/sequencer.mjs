import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';
import { planned, secondsOf, sourceOf } from './seconds.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The longest files first, in a fresh checkout too: jest alone knows what a file takes only once it has run it there, and goes by its size
 * before, so that the longest, which is short, would begin when all others have ended.
 */
export default class LongestFirst extends Sequencer {
  async sort(tests) {
    for (const { path } of tests) planned.add(sourceOf(path, root));
    return super.sort(tests);
  }

  /** Milliseconds. */
  time(test) {
    return super.time(test) ?? 1_000 * secondsOf(sourceOf(test.path, root));
  }
}
