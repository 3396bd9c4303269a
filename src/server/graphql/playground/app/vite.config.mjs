import react from '@vitejs/plugin-react';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const app = dirname(fileURLToPath(import.meta.url));
const repository = resolve(app, '../../../../..');

/** Everything lands in dist/playground as files of this origin, workers too: the page's policy allows nothing else. */
export default defineConfig({
  root: app,
  base: '/playground/',
  plugins: [react()],
  worker: { format: 'es' },
  build: {
    outDir: resolve(repository, 'dist/playground'),
    emptyOutDir: true,
    target: 'es2022',
    // Small files stay files: a data: URL would need its own line in the policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 10_000,
    sourcemap: false,
  },
});
