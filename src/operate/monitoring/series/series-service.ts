import type { Clock } from '../../../kernel/clock.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { METRICS, RESOLUTIONS } from './metric.js';
import { checkSeries, dimensionsOf, resolutionFor, seriesOf, type Series, type SeriesRequest } from './series.js';
import type { SeriesStore } from './series-store.js';
import { DAY_MS } from '../../../kernel/duration.js';

export interface SeriesInput extends Pick<SeriesRequest, 'metric'> {
  by?: SeriesRequest['by'] | null;
  where?: SeriesRequest['where'] | null;
  from?: Date | null;
  to?: Date | null;
  resolution?: SeriesRequest['resolution'] | null;
}

/** Reads series: of rolled-up buckets alone, never of answers. */
export class SeriesService {
  constructor(private readonly parts: { store: SeriesStore; clock: Clock }) {}

  /** What is asked for, with a day before now where nobody says otherwise. */
  spanOf({ from, to }: Pick<SeriesInput, 'from' | 'to'>): { from: Date; to: Date } {
    const end = to ?? this.parts.clock.now();
    return { from: from ?? new Date(end.getTime() - DAY_MS), to: end };
  }

  /** @throws BAD_USER_INPUT, see `checkSeries` */
  async read(workspaceId: WorkspaceId, input: SeriesInput): Promise<Series[]> {
    const { from, to } = this.spanOf(input);
    const { metric, by, where, resolution } = input;
    const request: SeriesRequest = {
      metric,
      from,
      to,
      by: by ?? [],
      where: where ?? {},
      resolution: resolution ?? resolutionFor(from, to),
    };
    checkSeries(request);
    const { of, quantiles } = METRICS[metric];
    const length = RESOLUTIONS[request.resolution].seconds * 1000;
    const rows = await this.parts.store.read({
      workspaceId,
      resolution: request.resolution,
      metrics: of,
      by: dimensionsOf(request),
      where: request.where,
      // The bucket that `from` lies in is shown whole.
      from: new Date(Math.floor(from.getTime() / length) * length),
      to,
      binned: quantiles !== undefined || metric === 'CALIBRATION_ERROR',
    });
    return seriesOf(request, rows);
  }
}
