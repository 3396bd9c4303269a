const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `1.2 GB`; takes what a `BigInt` of the API is as JSON. */
export function bytes(value: number | string): string {
  let amount = Number(value);
  let unit = 0;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount >= 100 || unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** `640 ms`, `3.2 s`, `4 min 5 s`. */
export function duration(ms: number): string {
  // Rounded first, then parted: no part of it is ever 60.
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `12 %` of a share, 0 to 1; always with so many decimals, so that columns line up. */
export const percent = (share: number, decimals = 0): string => `${(100 * share).toFixed(decimals)} %`;

/** `+0.012`, `−0.012`: a difference, as `text` writes the number. */
export const signed = (value: number, text: (value: number) => string): string =>
  `${value > 0 ? '+' : value < 0 ? '−' : ''}${text(Math.abs(value))}`;

export const count = (value: number): string => value.toLocaleString('en');

/** `3 documents`, `1 document`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** `support, version 3`: rows of a dataset version. */
export const rowsOf = ({ dataset, version }: { dataset: { name: string }; version: number }): string =>
  `${dataset.name}, version ${version}`;

export const dateTime = (iso: string): string =>
  new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/**
 * How a moment among others is written: with its day, unless all of them are of today.
 * @param moments in order; these and what is written in seconds since 1970
 */
export function momentAmong(moments: readonly number[], now = Date.now()): (at: number) => string {
  const dayOf = (ms: number) => new Date(ms).toDateString();
  const ends = [moments[0], moments.at(-1)].flatMap((seconds) =>
    seconds === undefined ? [] : [dayOf(1_000 * seconds)],
  );
  return ends.every((day) => day === dayOf(now))
    ? (seconds) => new Date(1_000 * seconds).toLocaleTimeString()
    : (seconds) => new Date(1_000 * seconds).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** `macro-F1` as `Macro-F1`, and `BLEU` as it is. */
export const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** `INDEX_OUTDATED` as `Index outdated`. */
export const words = (name: string): string => {
  const text = name.toLowerCase().replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** What a run does or waits for, whatever it says itself. */
export const runLine = ({ status, message }: { status: string; message: string }): string =>
  message || (status === 'QUEUED' ? 'Waits for its turn' : words(status));
