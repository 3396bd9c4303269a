import {
  AdapterDocument,
  AskWithAdapterDocument,
  AttestAdapterDocument,
  AttestationProgressDocument,
  EvaluateDocument,
  EvaluationProgressDocument,
  EvaluationsDocument,
  PromoteAdapterDocument,
  type PromoteAdapterMutationVariables,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { bold, dim, green, heading, line, yellow } from './print.js';

const MESSAGE = 'My parcel was supposed to arrive on Tuesday, where is it?';

/** What a trained version came from. */
export interface Trained {
  adapter: string;
  version: number;
  /** Id of the dataset version whose test rows it has never seen. */
  datasetVersion: string;
}

/** A trained version is shown to act, measured beside the base model, held against the gate and put into production. */
export async function proofTour(client: GraftClient, trained: Trained): Promise<void> {
  heading('The adapter is shown to act, and measured before it may answer', 3);
  await attest(client, trained);
  await evaluate(client, trained);
  if (await promote(client, trained)) await askProduction(client, trained.adapter);
}

export async function attest(client: GraftClient, { adapter, version }: Trained): Promise<void> {
  const { attestAdapter } = await client.request(AttestAdapterDocument, {
    input: { adapter, version, idempotencyKey: `demo-${Date.now()}` },
  });
  for await (const { attestationProgress: event } of client.subscribe(AttestationProgressDocument, {
    runId: attestAdapter.run.id,
  }))
    if (event.error) throw new Error(event.error.message);
  const response = await client.request(AdapterDocument, { name: adapter });
  const proof = response.adapter?.versions.find((candidate) => candidate.version === version)?.attestation;
  if (!proof) return;
  line(
    `${green('✓')} it changes what the model says, and as much where it is served as where it was trained (cosine ${proof.cosine.toFixed(3)}); ` +
      `off, the model is the base ${proof.offIsBase ? 'bit for bit' : 'no more'}`,
  );
}

/** @param baseline number of the version that it shall replace; null: the base model */
export async function evaluate(
  client: GraftClient,
  { adapter, version, datasetVersion }: Trained,
  baseline: number | null = null,
): Promise<void> {
  const { evaluate: evaluation } = await client.request(EvaluateDocument, {
    input: {
      adapter: `${adapter}@${version}`,
      datasetVersion,
      idempotencyKey: `demo-${Date.now()}`,
      ...(baseline !== null && { against: `${adapter}@${baseline}`, regression: false }),
    },
  });
  for await (const { evaluationProgress: event } of client.subscribe(EvaluationProgressDocument, {
    runId: evaluation.run.id,
  }))
    if (event.error) throw new Error(event.error.message);
  const { evaluations } = await client.request(EvaluationsDocument, { first: 1 });
  const [newest] = evaluations.edges;
  if (!newest) return;
  const { metrics, regression, nearestRows, retention, rowCount } = newest.node;
  line(`\n${rowCount} test rows that it has never seen, with 95 % intervals:`);
  for (const { name, value, low, high, difference } of metrics) {
    const change = difference
      ? dim(
          `, ${signed(difference.value)} (${signed(difference.low)} to ${signed(difference.high)}) against ${baseline === null ? 'the base model' : `${adapter}@${baseline}`}`,
        )
      : '';
    line(`  ${name}: ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})${change}`);
  }
  if (regression && nearestRows)
    line(
      dim(
        `  what one would use instead: a regression on the embedder's vectors ${regression.accuracy.value.toFixed(3)}, the nearest labelled rows ${nearestRows.accuracy.value.toFixed(3)}`,
      ),
    );
  if (retention) {
    const { base, adapted, ratio } = retention.perplexity;
    line(
      `  general text: perplexity ${adapted.toFixed(1)}, the base model's ${base.toFixed(1)}: ${ratio.value.toFixed(3)} times`,
    );
  }
}

type Promoted = NonNullable<PromoteAdapterMutationVariables['input']>;

/** Through the gate, or an honest refusal. @returns whether every alias names the version now */
export async function promote(
  client: GraftClient,
  { adapter, version }: Trained,
  aliases: readonly NonNullable<Promoted['alias']>[] = ['CANDIDATE', 'PRODUCTION'],
  bounds: Promoted['bounds'] = null,
): Promise<boolean> {
  for (const alias of aliases)
    try {
      const reason = 'The tour trained and measured it.';
      const { promoteAdapter } = await client.request(PromoteAdapterDocument, {
        // The tour shows what simpler methods get; the adapter answers all the same.
        input: { adapter, version, alias, reason, bounds, confirmNotBetter: true, by: 'npm run demo' },
      });
      const gate = promoteAdapter.change.gate;
      if (alias === 'CANDIDATE') {
        line(`\n${green('✓')} the gate lets it through:`);
        for (const { name, message } of gate?.checks ?? []) line(dim(`  ${name}: ${message}`));
      }
      for (const { better, message } of (alias === 'PRODUCTION' && gate?.simpler) || [])
        line(better ? dim(`  ${message}`) : `  ${yellow(message)} Promoted all the same: nobody else answers yet.`);
    } catch (error) {
      line(`\n${yellow('The gate refuses it:')} ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  return true;
}

async function askProduction(client: GraftClient, adapter: string): Promise<void> {
  const { ask } = await client.request(AskWithAdapterDocument, { question: MESSAGE, adapter });
  line(`\n${bold('?')} ${MESSAGE}`);
  line(`  ${green(ask.text)} ${dim(`by ${adapter}@${ask.adapter?.versionNumber ?? ''}, in production`)}`);
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(3)}`;
