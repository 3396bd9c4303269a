import react from '@vitejs/plugin-react';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const app = dirname(fileURLToPath(import.meta.url));

/** Everything lands in dist/console as files of this origin: the page's policy allows nothing else. */
export default defineConfig({
  root: app,
  base: '/console/',
  plugins: [react()],
  // The gateway puts a fresh one into each page it serves; styles that components make as they run need it.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: resolve(app, '../../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    // Small files stay files: a data: URL would need its own line in the policy.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
});
