export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const UNITS = [
  { name: 'h', ms: HOUR_MS },
  { name: 'min', ms: MINUTE_MS },
  { name: 's', ms: 1_000 },
] as const;

/** A duration in ms as people say it, in two figures or three: 119999.98 is `120 s`, 4210 `4.2 s`, 380 `380 ms`, 900000 `15 min`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  // Up to some minutes seconds are what deadlines are given in.
  const { name, ms: unit } = UNITS.find((candidate) => ms >= (candidate.name === 's' ? 0 : 5 * candidate.ms))!;
  const count = ms / unit;
  return `${count < 9.95 ? String(Number(count.toFixed(1))) : Math.round(count)} ${name}`;
}
