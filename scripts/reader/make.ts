/*
 * `npm run reader` makes the adapter that reads for whoever has trained none: for the default model in some thirty minutes on two quiet
 * cores, from the data sets in ../shared/datasets and the project's own texts. Stopped and started again, it goes on from its last checkpoint.
 *
 *   npm run reader [-- --model NAME] [--share 1]   (a model of the catalogue; the share of its readings that it is trained on)
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/platform/package-root.js';
import { catalogueModel } from '../../test/support/worker.js';
import { trainReader } from './train-reader.js';
import { writeReader } from './write-reader.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'smollm2-135m-instruct' },
    share: { type: 'string', default: '1' },
  },
});
const share = Number(values.share);
if (!(share > 0 && share <= 1)) throw new Error('--share is a part of the readings: more than 0, at most 1.');
const model = await catalogueModel(values.model);
const work = process.env['GRAFT_READER_WORK'] ?? join(tmpdir(), `graft-reader-${values.model}-${values.share}`);
const trained = await trainReader(model, work, share);
const folder = join(packageRoot(), 'readers', values.model);
const { files } = await writeReader(trained, { name: values.model, ...model }, folder);
for (const { name, sha256, bytes } of Object.values(files))
  process.stdout.write(`${join(folder, name)}: ${bytes} bytes, ${sha256}\n`);
