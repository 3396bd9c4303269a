import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { RunStatus } from '../generated/operations';
import { follow } from './follow';

/** What every run's event has. */
export interface RunEventShown {
  id: string;
  status: RunStatus;
  progress: number;
  message: string;
  error: { code: string; message: string } | null;
}

/**
 * Follows one run at a time to its end, also over restarts of the gateway.
 * @param onEvent sees every event once, the last one included
 * @returns `watch` gives the last event; null where it was not followed to its end
 */
export function useRun<Data, Event extends RunEventShown>(
  document: TypedDocumentNode<Data, { runId: string; after?: string | null | undefined }>,
  eventOf: (data: Data) => Event,
  onEvent?: (event: Event) => void,
) {
  const [event, setEvent] = useState<Event | null>(null);
  const [error, setError] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const watch = useCallback(
    async (runId: string): Promise<Event | null> => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      setEvent(null);
      setError(null);
      try {
        const events = follow(document, (last) => ({ runId, after: last && eventOf(last).id }), controller.signal);
        let last: Event | null = null;
        for await (const data of events) {
          last = eventOf(data);
          setEvent(last);
          onEvent?.(last);
        }
        return controller.signal.aborted ? null : last;
      } catch (failure) {
        setError(failure);
        return null;
      }
    },
    [document, eventOf, onEvent],
  );
  return { event, error, watch };
}
