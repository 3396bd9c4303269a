// `npm run datasets` says which public sets the benchmarks read, from where, under which licence, and whether their files are here as they should be.
// `-- --fetch` gets those that their publisher offers as they are; a file with another digest is refused. They stay outside of the repository.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = process.env.GRAFT_SHARED_DATASETS ?? join(root, '../shared/datasets');
const sets = JSON.parse(readFileSync(join(root, 'bench/sets.json'), 'utf8'));
const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function fetched(url, sha256) {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (digestOf(bytes) !== sha256)
    throw new Error(`${url} has another digest than ${sha256}: it isn't the file that was measured`);
  return bytes;
}

async function stateOf(file, { sha256, url }) {
  const path = join(folder, file);
  if (existsSync(path)) return digestOf(readFileSync(path)) === sha256 ? 'here' : 'here, with another digest';
  if (!process.argv.includes('--fetch')) return 'not here';
  if (!url) return 'not here; it is a part of the set, made by hand: ask for it';
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, await fetched(url, sha256));
    return 'fetched';
  } catch (error) {
    return `not here: ${error.message}`;
  }
}

let missing = 0;
console.log(`In ${folder} (GRAFT_SHARED_DATASETS chooses another folder):\n`);
for (const { name, what, from, licence, files } of sets) {
  console.log(`${name}: ${what}\n  ${from}, ${licence}`);
  for (const [file, source] of Object.entries(files)) {
    const state = await stateOf(file, source);
    if (state !== 'here' && state !== 'fetched') missing += 1;
    console.log(`  ${file}: ${state}`);
  }
}
if (missing > 0) console.log(`\n${missing} missing: benchmarks and tests that read them skip, and say so.`);
process.exitCode = missing > 0 ? 1 : 0;
