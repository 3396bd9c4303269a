import { join } from 'node:path';
import type { DemoClient } from './client.js';
import { dim, green, heading, line } from './print.js';

const VIEW = 'plans';
const ENTITY = 'customer:7';
const QUESTION = 'How many seats does the customer have?';

interface Answered {
  text: string;
  features: { view: string; entity: string; eventTime: string | null; values: Record<string, unknown> | null }[];
}

/** What is known of a customer goes into an answer as it would go into training. */
export async function featuresTour(client: DemoClient, examples: string): Promise<void> {
  heading('What is known of a customer goes into the answer');
  const { featureView } = await client.request<{ featureView: object | null }>(
    /* GraphQL */ `
      query ($name: String!) {
        featureView(name: $name) {
          id
        }
      }
    `,
    { name: VIEW },
  );
  if (!featureView)
    await client.request(
      /* GraphQL */ `
        mutation ($input: DefineFeatureViewInput!) {
          defineFeatureView(input: $input) {
            view {
              id
            }
          }
        }
      `,
      {
        input: {
          name: VIEW,
          entity: 'customer',
          fields: [
            { name: 'plan', type: 'STRING' },
            { name: 'seats', type: 'INTEGER' },
            { name: 'open_tickets', type: 'INTEGER' },
          ],
        },
      },
    );
  const file = await client.upload(join(examples, 'customer-plans.csv'));
  const { importFeatures } = await client.request<{ importFeatures: { rows: number; added: number } }>(
    /* GraphQL */ `
      mutation ($input: ImportFeaturesInput!) {
        importFeatures(input: $input) {
          rows
          added
        }
      }
    `,
    { input: { view: VIEW, file } },
  );
  line(`${green('✓')} ${importFeatures.rows} rows of customer-plans.csv, ${importFeatures.added} of them new`);
  const { ask } = await client.request<{ ask: Answered }>(
    /* GraphQL */ `
      query ($input: AskInput!) {
        ask(input: $input) {
          text
          features {
            view
            entity
            eventTime
            values
          }
        }
      }
    `,
    { input: { question: QUESTION, entity: ENTITY, features: [VIEW], strategy: 'BASE' } },
  );
  line(`\n${QUESTION} ${dim(`(${ENTITY})`)}`);
  line(`  ${ask.text}`);
  for (const { view, values, eventTime } of ask.features)
    line(dim(`  ${view}: ${JSON.stringify(values)}, true since ${eventTime ?? 'never'}`));
}
