import { z } from 'zod';
import { record } from './record.js';

/** A figure and the ends of its interval, where each has words of its own: `{ value, low, high }`. */
export const intervalFields = (value: string, low: string, high: string) => ({
  value: z.number().describe(value),
  low: z.number().describe(low),
  high: z.number().describe(high),
});

export const interval = record(
  'Interval',
  'A figure with the interval that holds its true value in 95 of 100 cases: exact where it is a share of the rows, else by bootstrap.',
  intervalFields('As measured.', 'Lower end.', 'Upper end: for a cost, the one that bounds are held against.'),
);

export const metricDifference = record(
  'MetricDifference',
  'How a metric differs from that of another answerer on the same rows: by McNemar’s tests where it is a share of them, else by a paired bootstrap.',
  {
    ...intervalFields(
      'This one’s less the other’s.',
      'Lower end of the interval that holds it in 95 of 100 cases.',
      'Upper end of that interval.',
    ),
    p: z.number().describe('Probability of a difference as large if there were none, 0 to 1.'),
  },
);
