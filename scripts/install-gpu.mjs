// `npm run gpu -- cuda|vulkan`: adds a GPU build of llama.cpp. package.json overrides those packages with an empty one, so that
// `npm ci` stays at a fifth of the size; npm then refuses to install them by name, hence pack and unpack. `npm ci` removes them again.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILDS = {
  'linux-x64': { cuda: ['linux-x64-cuda', 'linux-x64-cuda-ext'], vulkan: ['linux-x64-vulkan'] },
  'win32-x64': { cuda: ['win-x64-cuda', 'win-x64-cuda-ext'], vulkan: ['win-x64-vulkan'] },
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = BUILDS[`${process.platform}-${process.arch}`]?.[process.argv[2]];
if (packages === undefined) {
  console.error(
    `Usage: npm run gpu -- cuda|vulkan\nBuilds exist for Linux and Windows on x64; on a Mac with Apple silicon Metal is already in.`,
  );
  process.exit(2);
}

const { version } = JSON.parse(readFileSync(join(root, 'node_modules/node-llama-cpp/package.json'), 'utf8'));
const run = (command, args, cwd) => {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
};

const folder = mkdtempSync(join(tmpdir(), 'graft-gpu-'));
try {
  for (const name of packages) {
    console.log(`Fetching @node-llama-cpp/${name} ${version} ...`);
    // Outside the project, so that its overrides don't apply.
    run('npm', ['pack', '--silent', `@node-llama-cpp/${name}@${version}`], folder);
    const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    const target = join(root, 'node_modules', '@node-llama-cpp', name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    run('tar', ['-xzf', archive, '--strip-components=1', '-C', target], folder);
    rmSync(join(folder, archive));
  }
  console.log(
    'Installed. The next start looks for a GPU that works; `system { device provider }` tells what it found.',
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
