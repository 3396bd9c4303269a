import { useEffect, useState } from 'react';
import { TrainingProgressDocument } from '../../generated/operations';
import { follow } from '../../parts/follow';
import { EMPTY, extend, type Curve, type TrainingEvent } from './curve';

/** How often what has come is drawn, in milliseconds: a finished run tells thousands of events at once. */
const DRAW_MS = 100;

/** Follows a run’s stored events from the first to its end, also over restarts of the gateway. */
export function useCurve(runId: string | null): { curve: Curve; last: TrainingEvent | null; error: unknown } {
  const [curve, setCurve] = useState(EMPTY);
  const [last, setLast] = useState<TrainingEvent | null>(null);
  const [error, setError] = useState<unknown>(null);

  useEffect(() => {
    setCurve(EMPTY);
    setLast(null);
    setError(null);
    if (runId === null) return;
    const stopping = new AbortController();
    let waiting: TrainingEvent[] = [];
    const draw = () => {
      if (waiting.length === 0) return;
      const events = waiting;
      waiting = [];
      setCurve((previousCurve) => extend(previousCurve, events));
      setLast(events.at(-1)!);
    };
    const timer = setInterval(draw, DRAW_MS);
    const watch = async () => {
      const variables = (lastData: { trainingProgress: TrainingEvent } | undefined) => ({
        runId,
        after: lastData?.trainingProgress.id ?? null,
      });
      for await (const { trainingProgress } of follow(TrainingProgressDocument, variables, stopping.signal))
        waiting.push(trainingProgress);
    };
    void watch()
      .catch(setError)
      .finally(() => {
        clearInterval(timer);
        if (!stopping.signal.aborted) draw();
      });
    return () => stopping.abort();
  }, [runId]);

  return { curve, last, error };
}
