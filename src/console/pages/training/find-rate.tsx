import { Stack, Table, Text } from '@mantine/core';
import { useCallback, useState } from 'react';
import { useMutation } from 'urql';
import {
  FindRateInConsoleDocument,
  RateSearchShownDocument,
  type RateSearchShownSubscription,
  type RecipeInput,
} from '../../generated/operations';
import { RunProgress } from '../../parts/run-progress';
import { ErrorState } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';

type Shown = RateSearchShownSubscription['learningRateSearchProgress'];
type Tried = Extract<Shown, { __typename: 'LearningRateTried' }>['tried'];

const eventOf = ({ learningRateSearchProgress }: RateSearchShownSubscription) => learningRateSearchProgress;

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
  const [{ error, fetching }, find] = useMutation(FindRateInConsoleDocument);
  const [tried, setTried] = useState<Tried[]>([]);
  const [busy, setBusy] = useState(false);
  const onEvent = useCallback((event: Shown) => {
    if (event.__typename === 'LearningRateTried') setTried((before) => [...before, event.tried]);
  }, []);
  const { event, error: lost, watch } = useRun(RateSearchShownDocument, eventOf, onEvent);
  const best = bestOf(tried);
  const start = async () => {
    setBusy(true);
    setTried([]);
    const { data } = await find({ input: { datasetVersion: version, recipe, idempotencyKey: crypto.randomUUID() } });
    if (data) await watch(data.findLearningRate.run.id);
    setBusy(false);
  };
  return (
    <Stack gap="xs">
      <WaitingButton
        variant="default"
        size="compact-sm"
        style={{ alignSelf: 'start' }}
        waits={busy || fetching ? 'Trying rates…' : null}
        onClick={() => void start()}
      >
        Find the learning rate
      </WaitingButton>
      {busy && <RunProgress event={event} error={lost} />}
      {error && <ErrorState error={error} />}
      {tried.length > 0 && (
        <Table aria-label="Learning rates that were tried">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Rate</Table.Th>
              <Table.Th>Loss on validation rows</Table.Th>
              <Table.Th>Divergence from the base</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tried.map((each) => (
              <Table.Tr key={each.learningRate}>
                <Table.Td>{each.learningRate.toPrecision(2)}</Table.Td>
                <Table.Td>{each.validationLoss?.toFixed(3) ?? 'diverged'}</Table.Td>
                <Table.Td>{each.klToBase?.toFixed(3) ?? ''}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {!busy && best && (
        <Text size="sm">
          Least loss at {best.learningRate.toPrecision(2)}.{' '}
          <WaitingButton variant="subtle" size="compact-sm" waits={null} onClick={() => onFound(best.learningRate)}>
            Take it
          </WaitingButton>
        </Text>
      )}
    </Stack>
  );
}
