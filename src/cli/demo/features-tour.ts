import { join } from 'node:path';
import {
  AskAboutEntityDocument,
  DefineFeatureViewDocument,
  FeatureImportDocument,
  FeatureImportProgressDocument,
  FeatureViewDocument,
  ImportFeaturesDocument,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { dim, green, heading, line } from './print.js';

const VIEW = 'plans';
const ENTITY = 'customer:7';
const QUESTION = 'How many seats does the customer have?';

/** What is known of a customer goes into an answer as it would go into training. */
export async function featuresTour(client: GraftClient, examples: string): Promise<void> {
  heading('What is known of a customer goes into the answer');
  const { featureView } = await client.request(FeatureViewDocument, { name: VIEW });
  if (!featureView)
    await client.request(DefineFeatureViewDocument, {
      input: {
        name: VIEW,
        entity: 'customer',
        fields: [
          { name: 'plan', type: 'STRING' },
          { name: 'seats', type: 'INTEGER' },
          { name: 'open_tickets', type: 'INTEGER' },
        ],
      },
    });
  const file = await client.upload(join(examples, 'customer-plans.csv'));
  const { importFeatures } = await client.request(ImportFeaturesDocument, {
    input: { view: VIEW, file, idempotencyKey: `demo-${Date.now()}` },
  });
  const { id } = importFeatures.run;
  const events = client.subscribe(FeatureImportProgressDocument, { runId: id });
  for await (const { featureImportProgress: event } of events)
    if (event.status === 'FAILED') throw new Error(event.error?.message ?? 'the import of features failed');
  const { node: importRun } = await client.request(FeatureImportDocument, { id });
  if (importRun?.__typename === 'FeatureImportRun')
    line(`${green('✓')} ${importRun.rows} rows of customer-plans.csv, ${importRun.added} of them new`);
  const { ask } = await client.request(AskAboutEntityDocument, {
    input: { question: QUESTION, entity: ENTITY, features: [VIEW], strategy: 'BASE' },
  });
  line(`\n${QUESTION} ${dim(`(${ENTITY})`)}`);
  line(`  ${ask.text}`);
  for (const { view, values, eventTime } of ask.features)
    line(dim(`  ${view}: ${JSON.stringify(values)}, true since ${eventTime ?? 'never'}`));
}
