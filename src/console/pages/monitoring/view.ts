import type { Dimension, MonitoringInput } from '../../generated/operations';
import { useAddress } from '../../parts/use-address';
import { HOUR_MS } from '../../../kernel/duration.js';

/** Spans that can be looked at, and how often they are asked again. */
export const SPANS = [
  { value: '1h', label: 'Hour', ms: HOUR_MS, everyMs: 5_000 },
  { value: '6h', label: '6 hours', ms: 6 * HOUR_MS, everyMs: 15_000 },
  { value: '24h', label: 'Day', ms: 24 * HOUR_MS, everyMs: 30_000 },
  { value: '7d', label: 'Week', ms: 7 * 24 * HOUR_MS, everyMs: 60_000 },
  { value: '30d', label: 'Month', ms: 30 * 24 * HOUR_MS, everyMs: 60_000 },
  { value: '365d', label: 'Year', ms: 365 * 24 * HOUR_MS, everyMs: 60_000 },
] as const;

type Span = (typeof SPANS)[number];

/** What everything may be split by. */
export const SPLITS = [
  { value: 'NONE', label: 'all answers together' },
  { value: 'STRATEGY', label: 'strategy' },
  { value: 'ADAPTER', label: 'adapter version' },
  { value: 'MODEL', label: 'model' },
  { value: 'COLLECTION', label: 'collection' },
  { value: 'ARM', label: 'arm of a rollout or experiment' },
] as const;

/** What answers may be narrowed to. */
export const FILTERS = ['strategy', 'adapter', 'model', 'collection', 'subject', 'arm'] as const;
type Filter = (typeof FILTERS)[number];

export interface View {
  span: Span;
  by: Dimension | null;
  where: Partial<Record<Filter, string>>;
}

/** What the page shows: all of it stands in the address, so that a link shows the same to somebody else. */
export function useView(): [View, (change: Record<string, string | null>) => void] {
  const [params, change] = useAddress();
  const span = SPANS.find(({ value }) => value === params.get('span')) ?? SPANS[2];
  const split = SPLITS.find(({ value }) => value === params.get('by'))?.value ?? 'NONE';
  const where = Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = params.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  return [{ span, by: split === 'NONE' ? null : split, where }, change];
}

/** The time that is shown. */
export const timeOf = ({ span }: View, now: number) => ({
  from: new Date(now - span.ms).toISOString(),
  to: new Date(now).toISOString(),
});

/** Up to `now`, which all charts share, so that they show the same time. */
export const inputOf = (view: View, metric: MonitoringInput['metric'], now: number): MonitoringInput => ({
  metric,
  by: view.by === null || metric === 'ROUTE_MIX' ? [] : [view.by],
  where: view.where,
  ...timeOf(view, now),
});
