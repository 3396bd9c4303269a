import type { TemplatePiece } from '../../worker-protocol/index.js';

/** In English whatever the server's locale, as Python's `strftime` does unless a program sets one. */
const month = (date: Date, length: 'short' | 'long'): string => date.toLocaleDateString('en-US', { month: length });

/** The directives of Python's `strftime` that templates use; any other stays as it is written. */
const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  '%Y': (date) => String(date.getFullYear()),
  '%m': (date) => twoDigits(date.getMonth() + 1),
  '%d': (date) => twoDigits(date.getDate()),
  '%b': (date) => month(date, 'short'),
  '%B': (date) => month(date, 'long'),
  '%H': (date) => twoDigits(date.getHours()),
  '%M': (date) => twoDigits(date.getMinutes()),
  '%%': () => '%',
};

/** What a template writes in one place, on the day of `now` by the gateway's clock. */
export const writeDates = (piece: TemplatePiece, now: Date): string =>
  piece.map((part) => (typeof part === 'string' ? part : 'date' in part ? writeDate(part.date, now) : '')).join('');

const writeDate = (form: string, now: Date): string =>
  form.replace(/%[YmdbBHM%]/g, (directive) => DIRECTIVES[directive]!(now));

const twoDigits = (number: number): string => String(number).padStart(2, '0');
