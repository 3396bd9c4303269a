#!/usr/bin/env node
// `npx graft`: builds a checkout that was never built. npx links what a package names as its program once, and where there was none yet, never again.
import { existsSync } from 'node:fs';

const program = new URL('../dist/src/cli/graft.js', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write('Building Graft, once: it takes a minute or two…\n');
  await import('./build.mjs');
}
await import(program.href);
