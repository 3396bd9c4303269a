// Builds what the repository does not hold: the Prisma client, the typed operations, dist/, the console and the Playground. Each step runs only when its inputs changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Nothing was built before: it takes a while, so each step is named. */
const first = !existsSync(join(root, 'dist/src/start.js'));

function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (result.status !== 0) {
    process.stderr.write(
      `${command} ${args.join(' ')} failed:\n${result.stdout ?? ''}${result.stderr ?? result.error ?? ''}\n`,
    );
    process.exit(result.status ?? 1);
  }
}

function filesBelow(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const full = join(path, entry.name);
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : filesBelow(full);
    return [full];
  });
}

/** Runs `step` when the digest of `inputs` differs from the one of its last success, or when `output` is missing. */
function whenChanged(name, inputs, output, step) {
  const hash = createHash('sha256');
  for (const file of inputs.sort()) hash.update(file).update('\0').update(readFileSync(file));
  const digest = hash.digest('hex');
  const stamp = join(root, 'dist', `.${name}.stamp`);
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  if (first) process.stderr.write(`  ${name} …\n`);
  step();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

const lock = join(root, 'package-lock.json');
const generated = join(root, 'src/platform/database/generated');
whenChanged('prisma', [join(root, 'prisma/schema.prisma'), lock], join(generated, 'client.ts'), () =>
  // `generate` needs no engine, but the CLI would download one; a path that exists stops it.
  run(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
    PRISMA_SCHEMA_ENGINE_BINARY: '/bin/false',
  }),
);

const schema = join(root, 'schema/schema.graphql');
const operations = filesBelow(join(root, 'schema/operations'));
const pages = filesBelow(join(root, 'src/console'));
const pageOperations = pages.filter((file) => file.endsWith('.graphql'));
const generator = join(root, 'scripts/generate-operations.mjs');
whenChanged(
  'operations',
  [schema, ...operations, ...pageOperations, generator, lock],
  join(root, 'src/client/operations/generated/operations.ts'),
  () => run(process.execPath, [generator]),
);

const folders = ['src', 'gpu-worker', 'test', 'bench', 'scripts'];

/** Removes what tsc made of sources that are gone: their tests would run on. */
function removeOrphans() {
  for (const file of folders.flatMap((folder) => filesBelow(join(root, 'dist', folder)))) {
    const source = join(root, relative(join(root, 'dist'), file)).replace(/\.js(\.map)?$/, '.ts');
    if (/\.js(\.map)?$/.test(file) && !existsSync(source)) rmSync(file);
  }
}

const sources = folders
  .flatMap((folder) => filesBelow(join(root, folder)))
  .filter((file) => file.endsWith('.ts') && !file.startsWith(join(root, 'src/console')));
whenChanged(
  'tsc',
  [...sources, ...operations, schema, join(root, 'tsconfig.json'), join(root, 'prisma/schema.prisma'), lock],
  join(root, 'dist/src'),
  () => {
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--pretty']);
    removeOrphans();
  },
);

const playground = join(root, 'src/server/graphql/playground/app');
if (existsSync(playground))
  whenChanged(
    'playground',
    [...filesBelow(playground), join(root, 'src/client/operations/generated/ready.json'), lock],
    join(root, 'dist/playground/index.html'),
    () => run(bin('vite'), ['build', '--logLevel', 'error', '--config', join(playground, 'vite.config.mjs')]),
  );

const consoleApp = join(root, 'src/console');
if (existsSync(consoleApp))
  whenChanged('console', [...pages, ...operations, schema, lock], join(root, 'dist/console/index.html'), () =>
    run(bin('vite'), ['build', '--logLevel', 'error', '--config', join(consoleApp, 'vite.config.mjs')]),
  );
