import { toVersion } from '../../learn/training/index.js';
import { runGraph, inputType, objectType, idempotencyKey, toOne } from '../../kit/graphql/index.js';
import { string, int, float } from '../../kernel/record.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { hybridFit } from './blend-run.js';
import { MOST_FIT_ROWS, type HybridFitter } from './hybrid-fitter.js';

export const hybridFitRuns = runGraph(
  hybridFit.handledBy(({ hybridFitter }: { hybridFitter: HybridFitter }, context) => hybridFitter.fit(context)),
);

const FitHybridInput = inputType(
  'FitHybridInput',
  'Which adapter version is fitted to the labelled rows that it was trained on.',
  {
    adapter: string('Name of the adapter.'),
    version: int('Number of the version, from 1.'),
    rows: int(`Most rows for validation, 1 to ${MOST_FIT_ROWS}; of more a sample is drawn.`).default(300),
    seed: int('Of the sample: the same seed draws the same rows.').default(1),
    idempotencyKey,
  },
);

const HybridWeights = objectType('HybridWeights', 'How much adapter and rows count, and what each says alone.', {
  adapter: float('Power to which the adapter’s probabilities are taken.'),
  neighbours: float('Power to which the rows’ are taken.'),
  rows: int('Rows that they were fitted on.'),
  adapterAccuracy: float('Share of those rows that the adapter alone labels rightly, 0 to 1.'),
  neighboursAccuracy: float('The same of the labelled rows alone.'),
  accuracy: float('The same of both together.'),
});
type HybridWeights = InstanceType<typeof HybridWeights>;

interface HybridFitResolverParts {
  hybridFitter: HybridFitter;
  adapters: AdapterRegistry;
}

export const HybridFitResolver = hybridFitRuns.startedBy('fitHybrid', {
  description:
    'Fits how much a version and the labelled rows that it was trained on count together, on its rows for validation; `HYBRID` answers with the weights from then on. Until then both count the same.',
  input: FitHybridInput,
  argument: 'Which version, on how many rows.',
  payload: 'The run that fits.',
  run: (parts: HybridFitResolverParts, input, { workspaceId }) => parts.hybridFitter.start(workspaceId, input),
  fields: {
    version: toVersion('The version; null when it was deleted.', ({ row }) => hybridFit.inputOf(row).adapterVersionId),
    weights: toOne(
      () => HybridWeights,
      'What was found; null until the run succeeded.',
      ({ row }) => {
        const output = hybridFit.outputOf(row);
        if (!output) return null;
        const { adapter, neighbours, both } = output.accuracy;
        return {
          ...output.weights,
          adapterAccuracy: adapter,
          neighboursAccuracy: neighbours,
          accuracy: both,
        };
      },
      { cost: 1 },
    ),
  },
});
