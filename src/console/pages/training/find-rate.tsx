import { Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  FindRateInConsoleDocument,
  RateSearchShownDocument,
  type RateSearchShownSubscription,
  type RecipeInput,
} from '../../generated/operations';
import { DataTable } from '../../parts/data-table';
import { RunProgress } from '../../parts/run-progress';
import { useStartedRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';

type Shown = RateSearchShownSubscription['learningRateSearchProgress'];
type Tried = Extract<Shown, { __typename: 'LearningRateTried' }>['tried'];

/** The rate of the least loss; null where every one diverged. */
const bestOf = (tried: readonly Tried[]): Tried | null =>
  tried.reduce<Tried | null>(
    (best, each) =>
      each.validationLoss !== null && (best === null || each.validationLoss < best.validationLoss!) ? each : best,
    null,
  );

/** Tries a few learning rates on the rows, and hands on the best. */
export function FindRate({
  version,
  recipe,
  onFound,
}: {
  version: string;
  recipe: RecipeInput;
  onFound: (rate: number) => void;
}) {
  const [tried, setTried] = useState<Tried[]>([]);
  const run = useStartedRun(FindRateInConsoleDocument, RateSearchShownDocument, (event) => {
    if (event.__typename === 'LearningRateTried') setTried((before) => [...before, event.tried]);
  });
  const best = bestOf(tried);
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
      {tried.length > 0 && (
        <DataTable
          label="Learning rates that were tried"
          minWidth={0}
          rows={tried}
          keyOf={({ learningRate }) => learningRate}
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
