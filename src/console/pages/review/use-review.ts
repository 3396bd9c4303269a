import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import {
  ClaimReviewInConsoleDocument,
  ReleaseReviewDocument,
  SubmitReviewDocument,
  type ItemReviewedFragment,
  type ReviewReason,
  type SubmitReviewInput,
} from '../../generated/operations';

/** Items that `claimReview` can be asked to leave out. */
const MOST_SKIPPED = 100;

interface State {
  item: ItemReviewedFragment | null;
  left: number;
  waiting: boolean;
  error: unknown;
}

export type Say = ReturnType<typeof useReview>['submit'];

/** What the address names is asked for once; where it is somebody else's by now, the next one is. */
function useFirst(initialId: string | null, claim: (id: string | null) => Promise<boolean>): void {
  const first = useRef(initialId);
  useEffect(() => {
    const itemId = first.current;
    first.current = null;
    void (async () => {
      if (itemId === null || !(await claim(itemId))) await claim(null);
    })();
  }, [claim]);
}

/** One item after the other for a reviewer: each is theirs until they say something of it, leave it or close the page. */
export function useReview(
  reviewer: string,
  reason: ReviewReason | null,
  initialId: string | null,
  onItem: (id: string | null) => void,
) {
  const client = useClient();
  const [state, setState] = useState<State>({ item: null, left: 0, waiting: true, error: null });
  const onItemNow = useRef(onItem);
  onItemNow.current = onItem;
  const skipped = useRef<string[]>([]);
  const passed = useRef<string[]>([]);

  const claim = useCallback(
    async (id: string | null): Promise<boolean> => {
      setState((previousState) => ({ ...previousState, waiting: true, error: null }));
      const input = { reviewer, reason, item: id, skip: id === null ? skipped.current.slice(-MOST_SKIPPED) : [] };
      const { data, error } = await client.mutation(ClaimReviewInConsoleDocument, { input, reviewer });
      if (!data) {
        if (id === null) setState((previousState) => ({ ...previousState, item: null, waiting: false, error }));
        return false;
      }
      const { item, left } = data.claimReview;
      setState({ item, left, waiting: false, error: null });
      onItemNow.current(item?.id ?? null);
      return true;
    },
    [client, reviewer, reason],
  );

  useFirst(initialId, claim);

  const letGo = (id: string) => client.mutation(ReleaseReviewDocument, { input: { item: id, reviewer } }).toPromise();

  return {
    ...state,
    /** Leaves the item to others and goes on. */
    async skip(): Promise<void> {
      if (!state.item || state.waiting) return;
      skipped.current.push(state.item.id);
      passed.current.push(state.item.id);
      await letGo(state.item.id);
      await claim(null);
    },
    /** Back to the one that was left last, if nobody else took it. */
    async back(): Promise<void> {
      const id = passed.current.pop();
      if (id === undefined || state.waiting) return;
      skipped.current = skipped.current.filter((skippedId) => skippedId !== id);
      if (state.item) await letGo(state.item.id);
      if (!(await claim(id))) await claim(null);
    },
    /** What nobody could be asked about before may be there now. */
    async again(): Promise<void> {
      skipped.current = [];
      await claim(null);
    },
    async submit(verdict: Omit<SubmitReviewInput, 'item' | 'reviewer'>): Promise<boolean> {
      if (!state.item || state.waiting) return false;
      setState((previousState) => ({ ...previousState, waiting: true, error: null }));
      const { error } = await client.mutation(SubmitReviewDocument, {
        input: { ...verdict, item: state.item.id, reviewer },
      });
      if (error) {
        setState((previousState) => ({ ...previousState, waiting: false, error }));
        return false;
      }
      await claim(null);
      return true;
    },
  };
}
