import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import { serveRole, trainRole } from '../../../src/worker-protocol/index.js';

/** The operations that the page's tables have, by role: the first of each is `serve`'s. */
const written = (): string[][] =>
  readFileSync(join(packageRoot(), 'src/worker-protocol/PROTOCOL.md'), 'utf8')
    .split(/^\| operation.*$/m)
    .slice(1)
    .map((table) => [...table.split(/\n\n/)[0]!.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!));

describe('the page about the protocol', () => {
  it('has each operation of each role, and no other', () => {
    expect(written().map((names) => names.sort())).toEqual(
      [serveRole, trainRole].map(({ operations }) => Object.keys(operations).sort()),
    );
  });
});
