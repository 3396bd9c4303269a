import { UNIT } from '../../../../kernel/units.js';
import { stemOf } from '../words.js';
import { NUMBER, readValues, type StatedValue } from './values.js';

/** What a question counts or measures. */
export interface Amount {
  /** Only amounts of one kind are compared: `time` (in minutes), a unit, or `count` of whatever. */
  kind: string;
  value: number;
  /** As written. */
  text: string;
}

/** From where, or up to where, something holds. */
interface Bound {
  kind: string;
  holds(value: number): boolean;
}

/** Minutes of each. */
const MINUTES: ReadonlyMap<string, number> = new Map(
  Object.entries({ minute: 1, hour: 60, day: 1_440, week: 10_080, month: 43_200, year: 525_600 }).map(
    ([name, minutes]) => [stemOf(name), minutes],
  ),
);

const MEASURE = new RegExp(`^(?:${UNIT}|[%°‰]\\p{L}?)$`, 'iu');

const YEAR = /^(?:1[5-9]|20)\d\d(?!\d)/;

/** The amounts that a text names, but for sums of money and years. */
export const amountsIn = (text: string): Amount[] =>
  measuresIn(text).flatMap(({ kind, factor, value: { parts, text: valueText } }) =>
    parts.length === 1 && !YEAR.test(valueText) && !/\p{L}-\p{L}/u.test(valueText)
      ? [{ kind, value: factor * parts[0]!, text: valueText.split(' ')[0]! }]
      : [],
  );

/** The bounds that a text names: “up to 5 m”, “between fourteen days and 48 hours”, “ten or more”. */
export function boundsIn(text: string): Bound[] {
  const bounds: Bound[] = [];
  let lower: { kind: string; value: number; closed: boolean } | null = null;
  const add = (kind: string, low: number, high: number, closed = { low: true, high: true }): void => {
    bounds.push({
      kind,
      holds: (value) => (closed.low ? value >= low : value > low) && (closed.high ? value <= high : value < high),
    });
  };
  const flush = (): void => {
    if (lower) add(lower.kind, lower.value, Infinity, { low: lower.closed, high: true });
    lower = null;
  };
  for (const { kind, factor, value } of measuresIn(inOneForm(text))) {
    const [first, second] = value.parts.map((part) => factor * part!) as [number, number?];
    if (second !== undefined) {
      flush();
      add(kind, Math.min(first, second), Math.max(first, second));
    } else if (value.bound === 'least') {
      flush();
      lower = { kind, value: first, closed: !value.open };
    } else if (value.bound === 'most') {
      if (lower?.kind === kind) {
        const { value: low, closed } = lower;
        if (low <= first) add(kind, low, first, { low: closed, high: !value.open });
        else add(kind, first, low);
        lower = null;
      } else {
        flush();
        add(kind, -Infinity, first, { low: true, high: !value.open });
      }
    } else flush();
  }
  flush();
  return bounds;
}

const BETWEEN = new RegExp(`\\bbetween\\s+(${NUMBER}(?:\\s\\p{L}+)?)\\s+and\\s+`, 'giu');
const FROM = new RegExp(`\\bfrom\\s+(${NUMBER}(?:\\s\\p{L}+)?)\\s+(?:up\\s)?(?:to|until)\\s+`, 'giu');
const OR_MORE = new RegExp(
  `(?<![\\d.,])(${NUMBER}(?:\\s\\p{L}{1,12})?)\\s+(?:or|and)\\s+(?:more|over|above|longer|older)\\b`,
  'giu',
);

const inOneForm = (text: string): string =>
  text.replace(BETWEEN, 'from $1, up to ').replace(FROM, 'from $1, up to ').replace(OR_MORE, 'at least $1');

const measuresIn = (text: string): { kind: string; factor: number; value: StatedValue }[] =>
  readValues(text).values.flatMap((value) => {
    if (value.kind !== 'NUMBER' || value.currency) return [];
    const { unit = '' } = value;
    const minutes = MINUTES.get(stemOf(unit));
    if (minutes !== undefined) return [{ kind: 'time', factor: minutes, value }];
    return [{ kind: MEASURE.test(unit) ? unit : 'count', factor: 1, value }];
  });
