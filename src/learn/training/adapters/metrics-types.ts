import { recordType } from '../../../kit/graphql/index.js';
import { record } from '../../../kernel/record.js';
import { adapterMetrics, storedMetrics, type AdapterVersionRow } from '../../../sources/registry/index.js';

const { scales, ...measured } = adapterMetrics.shape;

export const AdapterMetrics = recordType(
  record('AdapterMetrics', 'What was measured of a version when it was trained, and since.', {
    ...measured,
    scales: scales.unwrap(),
  }),
);
export type AdapterMetrics = InstanceType<typeof AdapterMetrics>;

export function toAdapterMetrics(row: Pick<AdapterVersionRow, 'metrics'>): AdapterMetrics {
  const metrics = storedMetrics.decode(row.metrics);
  return { ...metrics, scales: metrics.scales ?? [] };
}
