import { useSearchParams } from 'wouter';

export type Change = (changes: Record<string, string | null>) => void;

/** The part of a page's state that stands in its address, how to change it, and how to empty it; null takes a name out. */
export function useAddress(): [URLSearchParams, Change, () => void] {
  const [params, setParams] = useSearchParams();
  const change: Change = (changes) =>
    setParams(
      (previousParams) => {
        const next = new URLSearchParams(previousParams);
        for (const [name, value] of Object.entries(changes)) {
          if (value === null) next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  return [params, change, () => setParams(new URLSearchParams(), { replace: true })];
}
