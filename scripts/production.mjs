// `npm run production` builds, and leaves in node_modules only what a server needs: no development packages, nothing that they
// share with packages which could use them but needn't (Prisma's command line), no binaries for other platforms.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
await import('./build.mjs');

const pruned = spawnSync('npm', ['prune', '--omit=dev'], { cwd: root, stdio: 'inherit' });
if (pruned.status !== 0) process.exit(pruned.status ?? 1);

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
for (const [path, { devOptional }] of Object.entries(packages))
  if (devOptional) rmSync(join(root, path), { recursive: true, force: true });

const binaries = join(root, 'node_modules/onnxruntime-node/bin/napi-v6');
for (const system of readdirSync(binaries))
  for (const processor of readdirSync(join(binaries, system)))
    if (system !== platform() || processor !== arch())
      rmSync(join(binaries, system, processor), { recursive: true, force: true });
