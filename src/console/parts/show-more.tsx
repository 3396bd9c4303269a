import type { PagesShown } from './pages';
import { ErrorState } from './states';
import { WaitingButton } from './waiting-button';

/** Below a list: the button for what comes next, or why it didn't come. */
export function ShowMore({
  pages: { data, hasMore, fetching, error, more },
  label,
}: {
  pages: Pick<PagesShown<unknown, unknown>, 'data' | 'hasMore' | 'fetching' | 'error'> & { more: () => void };
  label: string;
}) {
  if (data === undefined) return null;
  return (
    <>
      <ErrorState error={error} />
      {hasMore && (
        <WaitingButton variant="default" waits={fetching && 'Loading…'} onClick={more}>
          {label}
        </WaitingButton>
      )}
    </>
  );
}
