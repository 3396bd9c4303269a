import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** What slow files take alone on two cores: file to seconds. */
const SECONDS = JSON.parse(readFileSync(new URL('seconds.json', import.meta.url), 'utf8'));
for (const name of Object.keys(SECONDS))
  if (!existsSync(new URL(`../../${name}`, import.meta.url)))
    throw new Error(`test/support/seconds.json names ${name}, which is not there.`);
/** What a file that isn't listed is taken to need. */
const QUICK_SECONDS = 2;

/** The source of a built test: `test/unit/cli/keys.test.ts`. */
export const sourceOf = (built, root) =>
  relative(root, built)
    .replace(/^dist\//, '')
    .replace(/\.js$/, '.ts');

/** The files of this run, as its sequencer has them: the reporter is told no more than their number. */
export const planned = new Set();

export const secondsOf = (source) => SECONDS[source] ?? QUICK_SECONDS;
