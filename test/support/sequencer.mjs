import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What slow files take alone on two cores: file to seconds. */
const SECONDS = JSON.parse(readFileSync(new URL('seconds.json', import.meta.url), 'utf8'));
for (const name of Object.keys(SECONDS))
  if (!existsSync(new URL(`../../${name}`, import.meta.url)))
    throw new Error(`test/support/seconds.json names ${name}, which is not there.`);
/** What a file that isn't listed is taken to need: most take less, none 15. */
const QUICK_SECONDS = 5;

/**
 * The longest files first, in a fresh checkout too: jest alone knows what a file takes only once it has run it there, and goes by its size
 * before, so that the longest, which is short, would begin when all others have ended.
 */
export default class LongestFirst extends Sequencer {
  /** Milliseconds. */
  time(test) {
    return super.time(test) ?? 1_000 * (SECONDS[relative(root, test.path)] ?? QUICK_SECONDS);
  }
}
