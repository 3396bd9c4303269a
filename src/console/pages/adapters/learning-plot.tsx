import { Paper } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { LearningOfVersionsDocument, type LearningOfVersionsQuery } from '../../generated/operations';
import { Scatter, type Point } from '../../parts/charts/scatter';
import { OneOf } from '../../parts/form';
import { capitalised, rowsOf, words } from '../../parts/format';
import { ErrorState, Note } from '../../parts/page';

type Version = NonNullable<LearningOfVersionsQuery['adapter']>['versions'][number];
type Evaluation = Version['evaluations']['edges'][number]['node'];

/** Versions that answered rows of the same split of the same dataset version: only these can be held against each other. */
interface Comparable {
  key: string;
  label: string;
  /** The metric that decides, e.g. `accuracy`. */
  metric: string;
  points: Point[];
}

/** What the colours of the points mean, by index. */
const GROUPS = ['in production', 'other versions'];

function pointOf({ version, aliases }: Version, { metrics, retention }: Evaluation): Point | null {
  const [quality] = metrics;
  if (!quality || !retention) return null;
  return {
    label: [`version ${version}`, ...aliases.map((alias) => alias.toLowerCase())].join(', '),
    x: retention.perplexity.ratio,
    y: quality,
    group: aliases.includes('PRODUCTION') ? 0 : 1,
  };
}

/** Each version’s newest evaluation that measured forgetting, by what it was measured on; what most versions share comes first. */
function comparableVersions(versions: readonly Version[]): Comparable[] {
  const comparables = new Map<string, Comparable>();
  for (const version of versions) {
    const seenKeys = new Set<string>();
    for (const { node } of version.evaluations.edges) {
      const point = pointOf(version, node);
      const metric = node.metrics[0]?.name;
      if (!point || metric === undefined) continue;
      const { datasetVersion, split } = node;
      const key = [datasetVersion?.id, split, metric].join(' ');
      if (seenKeys.has(key)) continue;
      seenKeys.add(key);
      const rows = datasetVersion ? rowsOf(datasetVersion) : 'erased rows';
      const entry = comparables.get(key) ?? { key, label: `${words(split)} rows of ${rows}`, metric, points: [] };
      comparables.set(key, { ...entry, points: [...entry.points, point] });
    }
  }
  return [...comparables.values()].sort((a, b) => b.points.length - a.points.length);
}

/** How much worse general text may get before the gate refuses a version; null when it says nothing of it. */
const retentionBound = (versions: readonly Version[]): number | null =>
  versions.flatMap(({ gate }) => gate.checks).find(({ name, bound }) => name === 'retention' && bound !== null)
    ?.bound ?? null;

const MEASURED = 'perplexity, times the base model’s';

/** What each version has learned against what it has forgotten: up is better at the task, right is worse at everything else. */
export function LearningPlot({ adapter }: { adapter: string }) {
  const [{ data, error }, refetch] = useQuery({ query: LearningOfVersionsDocument, variables: { name: adapter } });
  const [chosenKey, setChosen] = useState<string | null>(null);
  const versions = useMemo(() => data?.adapter?.versions ?? [], [data]);
  const choices = useMemo(() => comparableVersions(versions), [versions]);
  const selection = choices.find(({ key }) => key === chosenKey) ?? choices[0];
  const x = useMemo(() => {
    const bound = retentionBound(versions);
    const guides = [{ at: 1, label: 'nothing forgotten' }];
    return { label: MEASURED, guides: bound === null ? guides : [...guides, { at: bound, label: 'the gate’s bound' }] };
  }, [versions]);
  const y = useMemo(() => ({ label: selection ? capitalised(selection.metric) : '' }), [selection]);
  if (error && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (!data) return null;
  return (
    <Paper>
      {selection ? (
        <>
          <Scatter title="Learned against forgotten" points={selection.points} groups={GROUPS} x={x} y={y} />
          <Note mt="xs">
            Each point is a version: the higher, the better at its task; the farther right, the worse it has become at
            general text. Bars are 95 % intervals. {selection.label}.
          </Note>
        </>
      ) : (
        <Note>
          Once versions are evaluated, they are shown here: what each has learned against what it has forgotten.
        </Note>
      )}
      {choices.length > 1 && (
        <OneOf
          label="Measured on"
          mt="xs"
          maw={360}
          data={choices.map(({ key, label }) => ({ value: key, label }))}
          value={selection?.key ?? null}
          onChange={setChosen}
        />
      )}
    </Paper>
  );
}
