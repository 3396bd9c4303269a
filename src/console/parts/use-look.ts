import { useCallback, useEffect, useRef } from 'react';
import type { AnyVariables, UseQueryResponse } from 'urql';

/**
 * Looks again at what a query shows, and every so often by itself. One look at a time: asking anew cancels what is asked already, so a
 * gateway that answers more slowly than a page looks would never be heard.
 * @param everyMs the pause between two looks, in ms; null: only when told to
 * @returns looks once more, as soon as the look under way has been answered
 */
export function useLook<Data, Variables extends AnyVariables>(
  [{ fetching }, again]: UseQueryResponse<Data, Variables>,
  everyMs: number | null = null,
): () => void {
  const busy = useRef(fetching);
  const wanted = useRef(false);
  const look = useCallback(() => {
    if (busy.current) {
      wanted.current = true;
      return;
    }
    busy.current = true;
    again({ requestPolicy: 'network-only' });
  }, [again]);
  useEffect(() => {
    busy.current = fetching;
    if (fetching) return;
    if (wanted.current) {
      wanted.current = false;
      look();
    } else if (everyMs !== null) {
      const timer = setTimeout(look, everyMs);
      return () => clearTimeout(timer);
    }
    return;
  }, [fetching, everyMs, look]);
  return look;
}
