import { fromGlobalId, runGraph, recordType, inputType, toMany } from '../../kit/graphql/index.js';
import { string, int, id } from '../../kernel/record.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { toVersion } from '../../learn/training/index.js';
import { scaleChoice, triedScale } from './scale-run.js';
import type { ScaleChooser } from './scale-chooser.js';

export const scaleChoiceRuns = runGraph(
  scaleChoice.handledBy(({ scales }: { scales: ScaleChooser }, context) => scales.choose(context)),
);

const ChooseScaleInput = inputType(
  'ChooseScaleInput',
  'Which adapter version gets its scale, on which rows for validation.',
  {
    adapter: string('Name of the adapter.'),
    version: int('Number of the version, from 1. No alias may name it, or ever have named it.'),
    datasetVersion: id(
      'Id of the dataset version whose VALIDATION rows decide; the one that it was trained on by default.',
    ).nullish(),
    rows: int('Most rows, 1 to 1,000, each answered at five scales; of more a sample is drawn.').default(200),
    seed: int('Of the sample: the same seed draws the same rows.').default(1),
    idempotencyKey: id('The same key with the same input is the same run; 1 to 200 characters.'),
  },
);

const TriedScale = recordType(triedScale);

interface ScaleResolverParts {
  scales: ScaleChooser;
  adapters: AdapterRegistry;
}

export const ScaleChoiceResolver = scaleChoiceRuns.startedBy('chooseScale', {
  description:
    'Tries a version at scales from 0.5 to 1 on rows for validation, and records the one that answers best; of equals the weakest, which forgets least. Do it before the version is attested and evaluated: an attestation at another scale is dropped, and once an alias has named a version its scale stays.',
  input: ChooseScaleInput,
  argument: 'Which version, on which rows.',
  payload: 'The run that tries scales.',
  run: (parts: ScaleResolverParts, input, { workspaceId }) => {
    const { datasetVersion, ...rest } = input;
    const datasetVersionId = datasetVersion
      ? fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion')
      : null;
    return parts.scales.start(workspaceId, { ...rest, datasetVersionId });
  },
  fields: {
    version: toVersion(
      'The version, with its scale once the run succeeded; null when it was deleted.',
      ({ row }) => scaleChoice.inputOf(row).adapterVersionId,
    ),
    tried: toMany(
      () => TriedScale,
      'What each scale gave; empty until the run succeeded.',
      ({ row }) => scaleChoice.outputOf(row)?.tried ?? [],
      { cost: 1 },
    ),
  },
});
