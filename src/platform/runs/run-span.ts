import { GRAFT, remoteSpan, startSpan, type Attributes, type TraceSpan } from '../tracing/index.js';
import type { RunRow } from './run.js';

/** An attempt at a run, as a trace of its own that links to the request that asked for it: no child of it, since that has ended by then. */
export const runSpan = ({ id, kind, attempt, workspaceId, subjectId, begunWithin }: RunRow): TraceSpan =>
  startSpan(`run ${kind}`, {
    kind: 'consumer',
    parent: null,
    links: [remoteSpan(begunWithin)].filter((span) => span !== null),
    attributes: {
      [GRAFT.RUN]: id,
      [GRAFT.RUN_KIND]: kind,
      [GRAFT.RUN_ATTEMPT]: attempt,
      [GRAFT.RUN_SUBJECT]: subjectId,
      [GRAFT.WORKSPACE]: workspaceId,
    },
  });

const MOST_NUMBERS = 12;

/** The numbers of an event's payload: steps, losses, counts. Its words may be people's. */
export function numbersOf(payload: unknown): Attributes {
  if (typeof payload !== 'object' || payload === null) return {};
  const numbers = Object.entries(payload).filter(([, value]) => typeof value === 'number' && Number.isFinite(value));
  return Object.fromEntries(
    numbers.slice(0, MOST_NUMBERS).map(([name, value]) => [`graft.run.${name}`, value as number]),
  );
}
