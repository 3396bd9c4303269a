// `node scripts/fetch-models.mjs FOLDER`: the default models’ files, verified, in a folder that the image carries: see ModelsOnDiskOptions.shipped.
import { resolve } from 'node:path';
import { loadConfig } from '../dist/src/platform/config.js';
import { ModelsOnDisk } from '../dist/src/platform/models-on-disk/index.js';
import { createLogger } from '../dist/src/platform/telemetry/index.js';
import { DownloadBars } from '../dist/src/platform/terminal.js';

const config = loadConfig();
const log = createLogger();
const models = new ModelsOnDisk({
  folder: resolve(process.argv[2]),
  hubEndpoint: config.HF_ENDPOINT,
  hubToken: config.HF_TOKEN,
  log,
});
const bars = new DownloadBars(log);
try {
  for (const name of [config.GRAFT_MODEL, config.GRAFT_EMBEDDER]) await models.files(name, bars.show);
} catch (error) {
  console.error([error.message, error.hint].filter(Boolean).join('\n'));
  process.exitCode = 1;
} finally {
  bars.finish();
}
