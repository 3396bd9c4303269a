import { Button, Group, Stack, type StackProps } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import { WaitingButton } from './form';
import { GatewayError } from './gateway-error';
import { ErrorState, Loading } from './page';
import type { PagesShown } from './pages';

/** What `useQuery` returns, or `usePages`. */
type Asked<Data> =
  | { data: Data | undefined; error?: Error | undefined; again: () => void }
  | readonly [{ data?: Data | undefined; error?: Error | undefined }, again: () => void];

/** What a query or pages brought; before, that it is loaded, or why it can't be. */
export function Loaded<Data>(props: { shown: Asked<Data>; what: string; children: (data: Data) => ReactNode }) {
  const { shown, what, children } = props;
  const { data, error, again } = 'again' in shown ? shown : { ...shown[0], again: shown[1] };
  if (data !== undefined && data !== null) return children(data);
  return error ? <ErrorState error={error} onRetry={() => again()} /> : <Loading label={`Loading ${what}`} />;
}

/** One thing by its id or name, or that there is none. */
export function Opened<Data, Thing>({
  shown,
  what,
  thing,
  missing = <ErrorState error={new GatewayError('NOT_FOUND', `There is no such ${what}.`)} />,
  children,
}: {
  shown: Asked<Data>;
  what: string;
  thing: (data: Data) => Thing | null;
  missing?: ReactNode;
  children: (thing: Thing) => ReactNode;
}) {
  return (
    <Loaded shown={shown} what={`the ${what}`}>
      {(data) => {
        const item = thing(data);
        return item === null ? missing : children(item);
      }}
    </Loaded>
  );
}

/** A list of which more and more is shown. */
export function Listed<Node extends { id: string }>({
  pages,
  what,
  empty,
  more,
  gap = 'xs',
  children,
}: Pick<StackProps, 'gap'> & {
  pages: PagesShown<unknown, { node: Node }> & { more: () => void; again: () => void };
  what: string;
  /** Instead of a list of nothing. */
  empty: ReactNode;
  /** On the button for what comes next. */
  more: string;
  children: (node: Node) => ReactNode;
}) {
  return (
    <Loaded shown={pages} what={what}>
      {() => (
        <Stack gap={gap}>
          {pages.edges.length === 0 && empty}
          {pages.edges.map(({ node }) => (
            <Fragment key={node.id}>{children(node)}</Fragment>
          ))}
          <ShowMore pages={pages} label={more} />
        </Stack>
      )}
    </Loaded>
  );
}

/** Below a list: the button for what comes next, or why it didn't come. */
export function ShowMore(props: {
  pages: Pick<PagesShown<unknown, unknown>, 'data' | 'hasMore' | 'fetching' | 'error'> & { more: () => void };
  label: string;
}) {
  const {
    pages: { data, hasMore, fetching, error, more },
    label,
  } = props;
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

/** Below a list that shows one page at a time, whose beginning stands in the address as `after`. */
export function PageSteps(props: {
  what: string;
  after: string | null;
  next: { hasNextPage: boolean; endCursor: string | null } | undefined;
  onStep: (change: { after: string | null }) => void;
}) {
  const { what, after, next, onStep } = props;
  return (
    <Group mt="sm">
      {after && (
        <Button variant="default" onClick={() => onStep({ after: null })}>
          Newest {what}
        </Button>
      )}
      {next?.hasNextPage && (
        <Button variant="default" onClick={() => onStep({ after: next.endCursor })}>
          Older {what}
        </Button>
      )}
    </Group>
  );
}
