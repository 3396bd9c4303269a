import { existsSync } from 'node:fs';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];

/** Path of a Chromium on this machine, or null; CHROMIUM_PATH names another. */
export const chromiumPath = (): string | null =>
  [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((path) => existsSync(path)) ?? null;
