import { Button, Collapse, NumberInput, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { useDisclosure, useInputState } from '@mantine/hooks';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import {
  EstimateTrainingDocument,
  FindLearningRateDocument,
  LearningRateSearchProgressDocument,
  StartTrainingDocument,
  type LearningRateSearchProgressSubscription,
  type RecipeInput,
} from '../../generated/operations';
import { useChoices } from '../../parts/choices';
import { Form, NameField, useOneKey, useSend, WaitingButton } from '../../parts/form';
import { bytes, duration, plural } from '../../parts/format';
import { ErrorState, Note } from '../../parts/page';
import { trainingPath } from '../../parts/paths';
import { RunProgress, useStartedRun } from '../../parts/runs';
import { DataTable } from '../../parts/table';

/** What the training would take, before it is started. */
function Estimate({ version, recipe }: { version: string; recipe: RecipeInput }) {
  const [{ data, error, fetching }] = useQuery({
    query: EstimateTrainingDocument,
    variables: { input: { datasetVersion: version, recipe } },
    requestPolicy: 'cache-and-network',
  });
  if (error && !fetching) return <ErrorState error={error} />;
  const estimate = data?.estimateTraining;
  if (!estimate) return <Note>Estimating time and memory…</Note>;
  return (
    <Text size="sm" c={estimate.fits ? undefined : 'red'} data-testid="training-estimate">
      {plural(estimate.examples, 'answer')} of {estimate.meanTokens.toFixed(0)} tokens, {plural(estimate.steps, 'step')}
      ;{' '}
      {estimate.seconds === null
        ? 'how long is known after the first training of this model here'
        : `about ${duration(1_000 * estimate.seconds)} at ${estimate.tokensPerSecond!.toFixed(0)} tokens/s`}
      ; {bytes(estimate.memoryBytes)} of memory
      {estimate.fits ? '' : `, and only ${bytes(estimate.availableBytes)} can be had: the run would be refused`}.
    </Text>
  );
}

type Shown = LearningRateSearchProgressSubscription['learningRateSearchProgress'];
type Tried = Extract<Shown, { __typename: 'LearningRateTried' }>['tried'];

/** The rate of the least loss; null where every one diverged. */
const bestOf = (trials: readonly Tried[]): Tried | null =>
  trials.reduce<Tried | null>(
    (best, trial) =>
      trial.validationLoss !== null && (best === null || trial.validationLoss < best.validationLoss!) ? trial : best,
    null,
  );

/** Tries a few learning rates on the rows, and hands on the best. */
function FindRate(props: { version: string; recipe: RecipeInput; onFound: (rate: number) => void }) {
  const { version, recipe, onFound } = props;
  const [trials, setTried] = useState<Tried[]>([]);
  const run = useStartedRun(FindLearningRateDocument, LearningRateSearchProgressDocument, (event) => {
    if (event.__typename === 'LearningRateTried') setTried((previousTrials) => [...previousTrials, event.tried]);
  });
  const best = bestOf(trials);
  const start = () => {
    setTried([]);
    return run.start({ datasetVersion: version, recipe });
  };
  return (
    <Stack gap="xs">
      <WaitingButton
        variant="default"
        size="compact-sm"
        style={{ alignSelf: 'start' }}
        waits={run.busy && 'Trying rates…'}
        onClick={start}
      >
        Find the learning rate
      </WaitingButton>
      {(run.busy || run.error !== null) && <RunProgress run={run} />}
      {trials.length > 0 && (
        <DataTable
          label="Learning rates that were tried"
          minWidth={0}
          rows={trials}
          columns={[
            { head: 'Rate', cell: ({ learningRate }) => learningRate.toPrecision(2) },
            { head: 'Loss on validation rows', cell: ({ validationLoss }) => validationLoss?.toFixed(3) ?? 'diverged' },
            { head: 'Divergence from the base', cell: ({ klToBase }) => klToBase?.toFixed(3) },
          ]}
        />
      )}
      {!run.busy && best && (
        <Text size="sm">
          Least loss at {best.learningRate.toPrecision(2)}.{' '}
          <WaitingButton variant="subtle" size="compact-sm" onClick={() => onFound(best.learningRate)}>
            Take it
          </WaitingButton>
        </Text>
      )}
    </Stack>
  );
}

/** What of the recipe a form may set; what is left empty comes from the preset of the task. */
const FIELDS = [
  { field: 'epochs', label: 'Passes over all rows', min: 0.01, max: 100, step: 1 },
  { field: 'learningRate', label: 'Learning rate', min: 0.000001, max: 0.1, step: 0.0005 },
  { field: 'rank', label: 'Rank', min: 1, max: 256, step: 8 },
  { field: 'batchExamples', label: 'Rows a step', min: 1, max: 256, step: 8 },
  { field: 'validationRows', label: 'Rows a validation', min: 0, max: 10_000, step: 100 },
  { field: 'seed', label: 'Seed', min: 0, max: 4_294_967_295, step: 1 },
] as const;

type Field = (typeof FIELDS)[number]['field'];
type Recipe = Partial<Record<Field, number>>;

/** The part of the recipe that may be set here, and a search for its learning rate. */
function RecipeFields(props: {
  version: string | null;
  recipe: Recipe;
  onChange: (change: (before: Recipe) => Recipe) => void;
}) {
  const { version, recipe, onChange } = props;
  const set = (field: Field, value: number | string) =>
    onChange(({ [field]: _before, ...rest }) => (value === '' ? rest : { ...rest, [field]: Number(value) }));
  return (
    <>
      <Note size="xs" mb="xs">
        What is left empty comes from the preset of the task.
      </Note>
      <SimpleGrid cols={2} spacing="sm" mb="sm">
        {FIELDS.map(({ field, ...rest }) => (
          <NumberInput key={field} {...rest} value={recipe[field] ?? ''} onChange={(value) => set(field, value)} />
        ))}
      </SimpleGrid>
      {version !== null && (
        <FindRate
          key={version}
          version={version}
          recipe={recipe}
          onFound={(learningRate) => set('learningRate', learningRate)}
        />
      )}
    </>
  );
}

export function StartTraining({ onClose }: { onClose: () => void }) {
  const [, go] = useLocation();
  const [adapter, setAdapter] = useInputState('');
  const [version, setVersion] = useState<string | null>(null);
  const [parent, setParent] = useState<string | null>(null);
  const [recipe, setRecipe] = useState<Recipe>({});
  const [isOpen, { toggle }] = useDisclosure();
  const { datasets, adapters, loaded, error: unread } = useChoices();
  const idempotencyKey = useOneKey();
  const training = useSend(StartTrainingDocument, (data) => go(trainingPath(data.startTraining.run.id)));
  const choices = datasets.flatMap(({ name, latestVersion: newest }) =>
    newest?.usable && newest.counts.train > 0
      ? [{ value: newest.id, label: `${name}, version ${newest.version}: ${plural(newest.counts.train, 'row')}` }]
      : [],
  );
  const task = datasets.find(({ latestVersion }) => latestVersion?.id === version)?.task;
  const parents = adapters
    .filter((candidate) => candidate.task === task)
    .flatMap(({ name, versions }) => versions.map((candidate) => `${name}@${candidate.version}`));
  const submit = () => {
    if (version === null) return;
    return training.send({ adapter: adapter.trim(), datasetVersion: version, parent, idempotencyKey, recipe });
  };
  return (
    <Form
      sending={{ fetching: training.fetching, error: training.error ?? unread }}
      onSubmit={submit}
      action="Start training"
      waits="Checking memory and rows…"
      disabled={adapter.trim() === '' || version === null}
      onCancel={onClose}
    >
      <NameField
        label="Adapter"
        description="A known name gets a new version; 1 to 63 letters, digits, “.”, “_” or “-”"
        value={adapter}
        onChange={setAdapter}
      />
      <Select
        label="Rows to learn"
        description={
          loaded && choices.length === 0
            ? 'No dataset has a usable version yet: bring rows in on the Data page.'
            : 'The newest usable version of each dataset'
        }
        required
        data={choices}
        value={version}
        onChange={(versionId) => {
          setVersion(versionId);
          setParent(null);
        }}
      />
      {parents.length > 0 && (
        <Select
          label="Goes on from"
          description="A version for the same task, whose shape is kept; left empty, it begins at the base model"
          clearable
          searchable
          data={parents}
          value={parent}
          onChange={setParent}
        />
      )}
      <Button variant="subtle" size="compact-sm" aria-expanded={isOpen} onClick={toggle} style={{ alignSelf: 'start' }}>
        {isOpen ? 'Hide the recipe' : 'Change the recipe'}
      </Button>
      <Collapse expanded={isOpen}>
        <RecipeFields version={version} recipe={recipe} onChange={setRecipe} />
      </Collapse>
      {version !== null && <Estimate version={version} recipe={recipe} />}
    </Form>
  );
}
