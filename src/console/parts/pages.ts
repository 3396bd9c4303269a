import type { AnyVariables, Client, CombinedError, RequestPolicy, TypedDocumentNode } from 'urql';

/** A list that is read page by page, newest or first things first. */
export interface Connection<Edge> {
  edges: readonly Edge[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** What is asked: `connectionOf` finds the list in an answer, null where what it belongs to isn't there. */
interface PagedQuery<Data, Variables extends AnyVariables, Edge> {
  query: TypedDocumentNode<Data, Variables>;
  variables: Omit<Variables, 'after'>;
  connectionOf: (data: Data) => Connection<Edge> | null;
  /** Whether all pages are shown, none before the last is there. */
  isWhole?: boolean;
}

/** `data` is the answer to the first page; `edges` are those of all pages shown. */
export interface PagesShown<Data, Edge> {
  data: Data | undefined;
  edges: readonly Edge[];
  hasMore: boolean;
  fetching: boolean;
  error: CombinedError | undefined;
}

interface Page<Data> {
  after: string | null;
  data?: Data;
  error?: CombinedError | undefined;
  end: () => void;
}

/**
 * The first pages of a list, as many as were asked for, each a query that stays open: what makes the cache ask again makes it ask for each
 * of them. When the end of a page moves, since something came before it, the next page is asked from there on, and nothing falls between
 * them. Until they join, what was shown stays.
 */
export class Pages<Data, Variables extends AnyVariables, Edge> {
  state: PagesShown<Data, Edge> = { data: undefined, edges: [], hasMore: false, fetching: true, error: undefined };
  private pages: Page<Data>[] = [];
  private wanted: number;
  private listener: () => void = () => undefined;

  constructor(
    private readonly client: Client,
    private readonly paged: PagedQuery<Data, Variables, Edge>,
  ) {
    this.wanted = paged.isWhole ? Infinity : 1;
  }

  /** Opens the pages; what is returned closes them. One listener at a time. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listener = listener;
    this.open(0, null);
    return () => this.closeFrom(0);
  };

  readonly shown = (): PagesShown<Data, Edge> => this.state;

  /** One page more once those before it are there, or the last again where it failed. */
  readonly more = (): void => {
    if (this.state.fetching || !this.state.hasMore) return;
    const last = this.pages.at(-1);
    if (last?.error) return this.open(this.pages.length - 1, last.after, 'network-only');
    this.wanted = this.pages.length + 1;
    this.join();
  };

  /** Asks for what is shown again. */
  readonly again = (): void => {
    for (const [index, { after }] of [...this.pages.entries()]) this.open(index, after, 'network-only');
  };

  private open(index: number, cursor: string | null, requestPolicy: RequestPolicy = 'cache-and-network'): void {
    const { query, variables } = this.paged;
    const replacedPage = this.pages[index];
    const page: Page<Data> = { after: cursor, end: () => undefined };
    this.pages[index] = page;
    const { unsubscribe } = this.client
      .query(query, { ...variables, after: cursor } as unknown as Variables, { requestPolicy })
      .subscribe(({ data, error }) => {
        if (this.pages[index] !== page) return;
        if (data !== undefined && data !== null) page.data = data;
        page.error = error;
        this.join();
      });
    page.end = unsubscribe;
    if (this.pages[index] !== page) unsubscribe();
    replacedPage?.end();
    this.join();
  }

  private closeFrom(index: number): void {
    for (const { end } of this.pages.splice(index)) end();
  }

  /** Follows the ends of the pages to those that are wanted, and shows them when all are there. */
  private join(): void {
    const edges: Edge[] = [];
    let hasMore = false;
    for (const [index, { data, error }] of this.pages.entries()) {
      if (data === undefined) return this.show(error ? { fetching: false, error } : { fetching: true });
      const connection = this.paged.connectionOf(data);
      edges.push(...(connection?.edges ?? []));
      const { hasNextPage, endCursor } = connection?.pageInfo ?? { hasNextPage: false, endCursor: null };
      hasMore = hasNextPage && endCursor !== null;
      if (!hasMore) this.closeFrom(index + 1);
      else if (index + 1 < this.wanted && this.pages[index + 1]?.after !== endCursor)
        return this.open(index + 1, endCursor);
    }
    const error = this.pages.find((page) => page.error)?.error;
    this.show({ data: this.pages[0]?.data, edges, hasMore, fetching: false, error });
  }

  private show(change: Partial<PagesShown<Data, Edge>>): void {
    this.state = { ...this.state, ...change };
    this.listener();
  }
}
