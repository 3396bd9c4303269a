import { Stack, Text } from '@mantine/core';
import { useQuery } from 'urql';
import { useParams } from 'wouter';
import { EvaluationsOfVersionDocument } from '../../generated/operations';
import { dateTime, plural, rowsOf, words } from '../../parts/format';
import { evaluationPath } from '../../parts/paths';
import { ErrorState } from '../../parts/states';
import { To } from '../../parts/words';
import { Metrics } from './metrics';

/** The newest evaluations of a version: what they found, and where to read them row by row. */
export function EvaluationList({ version }: { version: string }) {
  const { name } = useParams<{ name: string }>();
  const [{ data, error }, again] = useQuery({ query: EvaluationsOfVersionDocument, variables: { id: version } });
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (data?.node?.__typename !== 'AdapterVersion') return null;
  return (
    <Stack gap="xs" mt="sm">
      {data.node.evaluations.edges.map(
        ({ node: { id, createdAt, rowCount, split, datasetVersion, against, metrics } }) => (
          <div key={id}>
            <Text size="sm">
              <To href={evaluationPath(decodeURIComponent(name ?? ''), id)} underline="always">
                {plural(rowCount, `${words(split).toLowerCase()} row`)}
                {datasetVersion && ` of ${rowsOf(datasetVersion)}`}
              </To>{' '}
              · against {against ? `version ${against.version}` : 'the base model'} · {dateTime(createdAt)}
            </Text>
            <Metrics metrics={metrics} />
          </div>
        ),
      )}
    </Stack>
  );
}
