import type { AuditFilterInput } from '../../generated/operations';

/** What the log may be narrowed by, as it stands in the address. */
export const FIELDS = ['who', 'what', 'outcome', 'subject', 'from', 'to'] as const;

/** A day as a date field gives it, in this place's time. */
const moment = (day: string | null, plusDays = 0): string | null => {
  if (day === null) return null;
  const date = new Date(`${day}T00:00:00`);
  if (Number.isNaN(date.getTime())) return null;
  date.setDate(date.getDate() + plusDays);
  return date.toISOString();
};

export const filterOf = (address: URLSearchParams): AuditFilterInput => {
  const what = address.get('what')?.split(',').filter(Boolean) ?? [];
  return {
    who: address.get('who'),
    what: what.length === 0 ? null : what.slice(0, 50),
    outcome: address.get('outcome'),
    subjectId: address.get('subject'),
    from: moment(address.get('from')),
    // Up to the end of that day.
    to: moment(address.get('to'), 1),
  };
};

/** Where the same days are had as a file. */
export function exportAddress(address: URLSearchParams): string {
  const { from, to } = filterOf(address);
  const query = new URLSearchParams([...(from ? [['from', from]] : []), ...(to ? [['to', to]] : [])]);
  return query.size === 0 ? '/audit.ndjson' : `/audit.ndjson?${query}`;
}
