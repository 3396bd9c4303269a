// `node scripts/run.mjs src/start` builds what changed and then becomes dist/src/start.js, in this process: a signal sent to
// `npm start` reaches the program, which a shell between the two would swallow.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = new URL('../', import.meta.url);
const [name, ...rest] = process.argv.slice(2);

if (!existsSync(new URL('dist/src/start.js', root)))
  process.stderr.write('Building Graft, once: it takes a minute or two…\n');
await import('./build.mjs');
const program = fileURLToPath(new URL(`dist/${name}.js`, root));
if (name === undefined || !existsSync(program)) {
  const benches = readdirSync(new URL('dist/bench/', root)).filter((file) => file.endsWith('.js'));
  process.stderr.write(
    `There is no program ${name}. Benchmarks: ${benches.map((file) => file.slice(0, -3)).join(', ')}\n`,
  );
  process.exit(2);
}
process.argv = [process.argv[0], program, ...rest];
await import(pathToFileURL(program).href);
