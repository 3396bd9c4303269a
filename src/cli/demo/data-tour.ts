import { join } from 'node:path';
import {
  AddDatasetVersionDocument,
  CreateDatasetDocument,
  DatasetDocument,
  ImportProgressDocument,
  type DatasetQuery,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { bold, dim, green, heading, line, wrap, yellow } from './print.js';

const DATASET = 'messages';

type Version = NonNullable<NonNullable<DatasetQuery['dataset']>['latestVersion']>;

/** Labelled messages become a dataset version, and its report names what is wrong with them. */
export async function dataTour(client: GraftClient, examples: string): Promise<void> {
  heading('Labelled messages become a dataset, and what is wrong with them is named');
  const { dataset: existingDataset } = await client.request(DatasetDocument, { name: DATASET });
  if (!existingDataset)
    await client.request(CreateDatasetDocument, {
      input: { name: DATASET, task: 'CLASSIFICATION', language: 'en' },
    });
  const file = await client.upload(join(examples, 'messages.csv'));
  const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
    input: {
      dataset: DATASET,
      files: [{ file }],
      idempotencyKey: `demo-${Date.now()}`,
      // So many rows for the test that a measurement on them tells something.
      splitRule: { test: 0.12, validation: 0.08 },
    },
  });
  const events = client.subscribe(ImportProgressDocument, { runId: addDatasetVersion.run.id });
  for await (const { importProgress: event } of events)
    if (event.status === 'FAILED') throw new Error(event.error?.message ?? 'the import failed');
  const { dataset } = await client.request(DatasetDocument, { name: DATASET });
  if (dataset?.latestVersion) print(dataset.latestVersion);
}

function print({ version, digest, usable, counts, report }: Version): void {
  line(
    `${green('✓')} version ${version}, ${digest.slice(0, 12)}…: ${counts.train} train, ${counts.validation} validation, ${counts.test} test; ` +
      `${report.quarantinedRows} of ${report.rows} rows quarantined; ${usable ? 'usable' : 'not usable yet'}`,
  );
  for (const { severity, rule, meaning, count, rows, example, findings } of report.problems) {
    const where =
      rows.length > 0
        ? `, rows ${rows
            .slice(0, 6)
            .map(({ row }) => row)
            .join(', ')}${count > 6 ? '…' : ''}`
        : '';
    line(`  ${severity === 'ERROR' ? bold(severity) : yellow(severity)} ${rule} × ${count}${where}`);
    line(dim(wrap(findings[0]?.message ?? meaning, '    ')));
    if (example) line(dim(wrap(`e.g. ${example.slice(0, 160)}`, '    ')));
  }
}
