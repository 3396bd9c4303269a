import { join } from 'node:path';
import type { DemoClient } from './client.js';
import { bold, dim, green, heading, line, wrap, yellow } from './print.js';

const DATASET = 'messages';

interface VersionTold {
  version: number;
  digest: string;
  usable: boolean;
  counts: { train: number; validation: number; test: number; quarantined: number };
  report: {
    rows: number;
    usableRows: number;
    quarantinedRows: number;
    problems: {
      severity: string;
      rule: string;
      meaning: string;
      count: number;
      quarantined: number;
      example: string | null;
      findings: { message: string }[];
      rows: { row: number }[];
    }[];
  };
}

/** Labelled messages become a dataset version, and its report names what is wrong with them. */
export async function dataTour(client: DemoClient, examples: string): Promise<void> {
  heading('Labelled messages become a dataset, and what is wrong with them is named');
  const { dataset } = await client.request<{ dataset: object | null }>(
    /* GraphQL */ `
      query ($name: String!) {
        dataset(name: $name) {
          id
        }
      }
    `,
    { name: DATASET },
  );
  if (!dataset)
    await client.request(
      /* GraphQL */ `
        mutation ($input: CreateDatasetInput!) {
          createDataset(input: $input) {
            dataset {
              id
            }
          }
        }
      `,
      { input: { name: DATASET, task: 'CLASSIFICATION', language: 'en' } },
    );
  const file = await client.upload(join(examples, 'messages.csv'));
  const { addDatasetVersion } = await client.request<{ addDatasetVersion: { run: { id: string } } }>(
    /* GraphQL */ `
      mutation ($input: AddDatasetVersionInput!) {
        addDatasetVersion(input: $input) {
          run {
            id
          }
        }
      }
    `,
    { input: { dataset: DATASET, files: [{ file }], idempotencyKey: `demo-${Date.now()}` } },
  );
  const events = client.subscribe<{ importProgress: { status: string; error: { message: string } | null } }>(
    /* GraphQL */ `
      subscription ($runId: ID!) {
        importProgress(runId: $runId) {
          status
          error {
            message
          }
        }
      }
    `,
    { runId: addDatasetVersion.run.id },
  );
  for await (const { importProgress: event } of events)
    if (event.status === 'FAILED') throw new Error(event.error?.message ?? 'the import failed');
  const { told } = await client.request<{ told: { latestVersion: VersionTold } }>(
    /* GraphQL */ `
      query ($name: String!) {
        told: dataset(name: $name) {
          latestVersion {
            version
            digest
            usable
            counts {
              train
              validation
              test
              quarantined
            }
            report {
              rows
              usableRows
              quarantinedRows
              problems {
                severity
                rule
                meaning
                count
                quarantined
                example
                findings {
                  message
                }
                rows {
                  row
                }
              }
            }
          }
        }
      }
    `,
    { name: DATASET },
  );
  print(told.latestVersion);
}

function print({ version, digest, usable, counts, report }: VersionTold): void {
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
