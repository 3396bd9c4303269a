import { Anchor, Stack, Text } from '@mantine/core';
import { useQuery } from 'urql';
import { Link, useParams } from 'wouter';
import { EvaluationsOfVersionDocument } from '../../generated/operations';
import { dateTime, plural, words } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { Metrics } from './metrics';
import { evaluationPath } from './paths';

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
              <Anchor component={Link} href={evaluationPath(decodeURIComponent(name ?? ''), id)} underline="always">
                {plural(rowCount, `${words(split).toLowerCase()} row`)}
                {datasetVersion && ` of ${datasetVersion.dataset.name}, version ${datasetVersion.version}`}
              </Anchor>{' '}
              · against {against ? `version ${against.version}` : 'the base model'} · {dateTime(createdAt)}
            </Text>
            <Metrics metrics={metrics} />
          </div>
        ),
      )}
    </Stack>
  );
}
