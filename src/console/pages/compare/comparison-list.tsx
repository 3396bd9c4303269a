import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { IconScale } from '@tabler/icons-react';
import { Link } from 'wouter';
import { ComparisonListDocument, type ComparisonListQuery } from '../../generated/operations';
import { dateTime } from '../../parts/format';
import { RunBadge } from '../../parts/run-progress';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { comparisonPath } from './paths';

const connectionOf = (data: ComparisonListQuery) => data.runs;

/** Comparisons, newest first, each with its sentence. */
export function ComparisonList() {
  const pages = usePages({ query: ComparisonListDocument, variables: {}, connectionOf });
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the comparisons" />;
  const runs = edges.flatMap(({ node }) => (node.__typename === 'StrategyComparisonRun' ? [node] : []));
  if (runs.length === 0)
    return (
      <EmptyState icon={IconScale} title="Nothing was compared yet">
        Choose a dataset above. The outcome says in one sentence which strategy to use, and how sure that is.
      </EmptyState>
    );
  return (
    <>
      <Title order={2} mb="sm">
        Earlier comparisons
      </Title>
      <Stack gap="xs">
        {runs.map(({ id, status, createdAt, comparedVersion, report, error: failure }) => (
          <Paper key={id} p="sm">
            <Group gap="xs">
              <Anchor component={Link} href={comparisonPath(id)} size="sm" fw={600}>
                {comparedVersion
                  ? `${comparedVersion.dataset.name}, version ${comparedVersion.version}`
                  : 'deleted rows'}
              </Anchor>
              <RunBadge status={status} />
              <Text size="xs" c="dimmed">
                {dateTime(createdAt)}
              </Text>
            </Group>
            {(report ?? failure) && (
              <Text size="sm" c="dimmed">
                {report?.sentence ?? failure?.message}
              </Text>
            )}
          </Paper>
        ))}
        <ShowMore pages={pages} label="Show older comparisons" />
      </Stack>
    </>
  );
}
