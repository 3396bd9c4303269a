import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from '../../kernel/caller.js';
import { streamWithin } from '../../kernel/stream-within.js';

/** Whose work it is and what it came to so far, carried along by whatever it calls. */
export interface Account {
  /** Null for work that nobody in particular asked for. */
  readonly caller: Pick<Caller, 'workspaceId'> & { readonly key: { readonly lineId: string } | null };
  /** Tokens that models read and wrote for it. */
  tokens: number;
}

const accounts = new AsyncLocalStorage<Account>();

/** Runs `work` on an account: what models read and write meanwhile, however deep below, is added to it. */
export const onAccount = <T>(account: Account, work: () => T): T => accounts.run(account, work);

/** The account of whoever runs now; undefined outside of any. */
export const currentAccount = (): Account | undefined => accounts.getStore();

/** Adds tokens that a model read or wrote to the account of whoever runs now. */
export function spend(tokens: number): void {
  const account = accounts.getStore();
  if (account) account.tokens += tokens;
}

/** The same steps, each on the account. */
export const streamOnAccount = <T>(account: Account, source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> =>
  streamWithin((work) => accounts.run(account, work), source);
