// `npm run engine:tensorflow`: adds native TensorFlow.js as a second engine for training, on Linux x64. The package’s own install script
// downloads a library from elsewhere; this one takes TensorFlow’s C library and headers from its wheel on a Python package index, and compiles
// the binding against Node’s headers from npm. The library opens CUDA where there is one, and computes on the processor elsewhere. It needs
// g++, unzip and 2 GB of disk; `npm ci` removes it again.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@tensorflow/tfjs-node-gpu@4.22.0';
const HEADERS = 'node-api-headers@1';
const [WHEEL, VERSION] = ['tensorflow', '2.15.1'];
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('TensorFlow.js with a GPU is there for Linux on x64.');
  process.exit(2);
}

function run(command, args, cwd = root) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

/** @returns its path @throws where no index that pip is configured for has it */
async function fetchWheel(into) {
  await import('./build.mjs');
  const { indexSettings } = await import('../dist/src/platform/models-on-disk/package-index.js');
  const { downloadFile, openIndexes } = await import('../dist/src/platform/models-on-disk/wheel-source.js');
  const refusals = [];
  for (const index of openIndexes(indexSettings())) {
    try {
      const files = await index.filesOf(WHEEL);
      const wanted = new RegExp(`^${WHEEL}-${VERSION}-cp311-.*manylinux.*x86_64\\.whl$`);
      const file = files.find(({ name }) => wanted.test(name));
      if (!file) throw new Error(`has no wheel of ${WHEEL} ${VERSION} for Linux on x64`);
      const path = join(into, file.name);
      await downloadFile(index, file, path, undefined, () => undefined);
      return path;
    } catch (error) {
      refusals.push(`${index.url}: ${error.message}`);
    }
  }
  throw new Error(`The wheel can’t be had. ${refusals.join('; ')}`);
}

const folder = mkdtempSync(join(tmpdir(), 'graft-tensorflow-'));
try {
  console.log(`Fetching the wheel of ${WHEEL} ${VERSION} (475 MB) ...`);
  const wheel = await fetchWheel(folder);
  console.log(`Installing ${PACKAGE} without its install script ...`);
  // Outside the project, whose lock knows it as an optional peer only, and with all that it needs inside its own folder.
  run(
    'npm',
    ['install', '--prefix', folder, '--ignore-scripts', '--silent', '--no-audit', '--no-fund', PACKAGE, HEADERS],
    folder,
  );
  const packages = join(folder, 'node_modules');
  rmSync(target, { recursive: true, force: true });
  cpSync(join(packages, '@tensorflow', 'tfjs-node-gpu'), target, { recursive: true });
  rmSync(join(packages, '@tensorflow', 'tfjs-node-gpu'), { recursive: true });
  cpSync(packages, join(target, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  console.log('Unpacking the library and compiling the binding ...');
  const [libraries, binding] = [join(target, 'deps', 'lib'), join(target, 'lib', 'napi-v8')];
  for (const each of [libraries, binding]) mkdirSync(each, { recursive: true });
  run('unzip', ['-qoj', wheel, ...LIBRARIES.map((name) => `tensorflow/${name}`), '-d', libraries]);
  const headers = ['tensorflow/c', 'tsl', 'tensorflow/core/platform'].map((name) => `tensorflow/include/${name}/*`);
  run('unzip', ['-qo', wheel, ...headers, '-d', folder]);
  const sources = readdirSync(join(target, 'binding'))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(target, 'binding', name));
  run('g++', [
    ...['-O2', '-std=c++17', '-shared', '-fPIC', '-w', '-DNAPI_VERSION=8'],
    `-I${join(folder, 'tensorflow', 'include')}`,
    `-I${join(packages, 'node-api-headers', 'include')}`,
    ...sources,
    ...['-o', join(binding, 'tfjs_binding.node'), `-L${libraries}`],
    ...LIBRARIES.map((name) => `-l:${name}`),
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]);
  if (!existsSync(join(binding, 'tfjs_binding.node'))) throw new Error('The compiler wrote no binding.');
  console.log('Installed. Training measures once which engine is faster here; `system { training { … } }` tells.');
} catch (error) {
  // Half an installation would be found and would fail at every start.
  rmSync(target, { recursive: true, force: true });
  console.error(String(error.message));
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
