/**
 * Whole milliseconds since 1970 UTC; a time without zone is taken as UTC, a number as seconds or, where it is too large for
 * them, milliseconds; null without value, NaN for what is no time.
 */
export function readTime(value: unknown): number | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'number') {
    const time = Math.round(value > 1e11 ? value : value * 1000);
    return Math.abs(time) <= MAX_TIME ? time : Number.NaN;
  }
  const text = typeof value === 'string' ? value.trim().replace(' ', 'T') : '';
  if (!isDay(text)) return Number.NaN;
  if (!text.includes('T')) return Date.parse(text);
  // `Date.parse` wants +05:30 where PostgreSQL and DuckDB write +05 and others +0530.
  const zone = / ?([+-]\d{2})(?::?(\d{2}))?$/.exec(text);
  if (zone) return Date.parse(`${text.slice(0, zone.index)}${zone[1]}:${zone[2] ?? '00'}`);
  return Date.parse(/Z$/i.test(text) ? text : `${text}Z`);
}

/** Whether a text begins with a day of the calendar: `Date.parse` takes 30 February for 1 March. */
function isDay(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(text) ?? [];
  return (
    day !== undefined && new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
  );
}

/** Farthest from 1970 that a `Date` goes, in milliseconds. */
const MAX_TIME = 8.64e15;
