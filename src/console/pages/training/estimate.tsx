import { Text } from '@mantine/core';
import { useQuery } from 'urql';
import { EstimateShownDocument, type RecipeInput } from '../../generated/operations';
import { bytes, duration, plural } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { Note } from '../../parts/words';

/** What the training would take, before it is started. */
export function Estimate({ version, recipe }: { version: string; recipe: RecipeInput }) {
  const [{ data, error, fetching }] = useQuery({
    query: EstimateShownDocument,
    variables: { input: { datasetVersion: version, recipe } },
    requestPolicy: 'cache-and-network',
  });
  if (error && !fetching) return <ErrorState error={error} />;
  const found = data?.estimateTraining;
  if (!found) return <Note>Estimating time and memory…</Note>;
  return (
    <Text size="sm" c={found.fits ? undefined : 'red'} data-testid="training-estimate">
      {plural(found.examples, 'row')} of {found.meanTokens.toFixed(0)} tokens, {plural(found.steps, 'step')};{' '}
      {found.seconds === null
        ? 'how long is known after the first training of this model here'
        : `about ${duration(1_000 * found.seconds)} at ${found.tokensPerSecond!.toFixed(0)} tokens/s`}
      ; {bytes(found.memoryBytes)} of memory
      {found.fits ? '' : `, and only ${bytes(found.availableBytes)} can be had: the run would be refused`}.
    </Text>
  );
}
