import { useCallback, useEffect, useRef } from 'react';
import type { TypedDocumentNode } from 'urql';
import { follow } from './follow';

/** After so long without an answer a look is given up for another, in ms: a connection that is gone says nothing. */
const PATIENCE_MS = 60_000;

/**
 * Looks again at what a query or pages show, and every so often by itself. One look at a time: asking anew cancels what is asked already, so a
 * gateway that answers more slowly than a page looks would never be heard.
 * @param everyMs the pause between two looks, in ms; null: only when told to
 * @returns looks once more, as soon as the look under way has been answered
 */
export function useLook(
  [state, refetch]: readonly [{ fetching: boolean }, (how: { requestPolicy: 'network-only' }) => void],
  everyMs: number | null = null,
): () => void {
  const busy = useRef(state.fetching);
  const nextLook = useRef(false);
  const ask = useCallback(() => {
    busy.current = true;
    refetch({ requestPolicy: 'network-only' });
  }, [refetch]);
  const look = useCallback(() => {
    if (busy.current) nextLook.current = true;
    else ask();
  }, [ask]);
  // By each result, not by `fetching` alone: what is answered before it was drawn as asked was asked all the same.
  useEffect(() => {
    busy.current = state.fetching;
    if (state.fetching) {
      const timer = setInterval(ask, PATIENCE_MS);
      return () => clearInterval(timer);
    }
    if (nextLook.current) {
      nextLook.current = false;
      ask();
    } else if (everyMs !== null) {
      const timer = setTimeout(ask, everyMs);
      return () => clearTimeout(timer);
    }
    return;
  }, [state, everyMs, ask]);
  return look;
}

/**
 * Looks at each event of a stream.
 * @param variables as `follow` takes them, the same function at each render, or following would begin anew with each; null: nothing is followed
 */
export function useLookAtEvents<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: ((last: Data | undefined) => Variables) | null,
  look: () => void,
): void {
  useEffect(() => {
    if (variables === null) return;
    const controller = new AbortController();
    void (async () => {
      for await (const _ of follow(document, variables, controller.signal)) look();
    })().catch(() => undefined);
    return () => controller.abort();
  }, [document, variables, look]);
}
