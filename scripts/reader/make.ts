/*
 * `npm run reader` makes the adapter that reads for whoever has trained none: in some thirty minutes on two quiet cores, from the data
 * sets in ../shared/datasets and the project's own texts. Stopped and started again, it goes on from its last checkpoint.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { realModel } from '../../test/support/worker.js';
import { BASE_MODEL } from './recipe.js';
import { trainReader } from './train-reader.js';
import { writeReader } from './write-reader.js';

const model = await realModel();
const trained = await trainReader(model, process.env['GRAFT_READER_WORK'] ?? join(tmpdir(), 'graft-reader'));
const folder = join(packageRoot(), 'readers', BASE_MODEL);
const { files } = await writeReader(trained, model, folder);
for (const { name, sha256, bytes } of Object.values(files))
  process.stdout.write(`${join(folder, name)}: ${bytes} bytes, ${sha256}\n`);
