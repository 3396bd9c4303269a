import type { LearningOfVersionsQuery } from '../../generated/operations';
import type { Point } from '../../parts/charts/scatter';
import { rowsOf, words } from '../../parts/format';

type Version = NonNullable<LearningOfVersionsQuery['adapter']>['versions'][number];
type Evaluation = Version['evaluations']['edges'][number]['node'];

/** Versions that answered rows of the same split of the same dataset version: only these can be held against each other. */
export interface Comparable {
  key: string;
  label: string;
  /** The metric that decides, e.g. `accuracy`. */
  metric: string;
  points: Point[];
}

/** What the colours of the points mean, by index. */
export const GROUPS = ['in production', 'other versions'];

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
export function comparableVersions(versions: readonly Version[]): Comparable[] {
  const found = new Map<string, Comparable>();
  for (const version of versions) {
    const seen = new Set<string>();
    for (const { node } of version.evaluations.edges) {
      const point = pointOf(version, node);
      const metric = node.metrics[0]?.name;
      if (!point || metric === undefined) continue;
      const { datasetVersion, split } = node;
      const key = [datasetVersion?.id, split, metric].join(' ');
      if (seen.has(key)) continue;
      seen.add(key);
      const rows = datasetVersion ? rowsOf(datasetVersion) : 'erased rows';
      const known = found.get(key) ?? { key, label: `${words(split)} rows of ${rows}`, metric, points: [] };
      found.set(key, { ...known, points: [...known.points, point] });
    }
  }
  return [...found.values()].sort((a, b) => b.points.length - a.points.length);
}

/** How much worse general text may get before the gate refuses a version; null when it says nothing of it. */
export const retentionBound = (versions: readonly Version[]): number | null =>
  versions.flatMap(({ gate }) => gate.checks).find(({ name, bound }) => name === 'retention' && bound !== null)
    ?.bound ?? null;
