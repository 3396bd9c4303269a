import type { Database } from '../../src/platform/database/index.js';

/** A connection of a gateway that dies. */
export interface DyingDatabase extends Database {
  /** Resolves when it is dead. */
  readonly death: Promise<void>;
}

/**
 * A database as a gateway sees it that is killed: from its n-th statement that concerns what is tested on, nothing it says arrives any more,
 * and what it was in the middle of is rolled back. Closing it closes nothing: the connections are the test's.
 * @param concerns what counts, by the model or the text of a statement
 */
export function dyingDatabase(database: Database, n: number, concerns: RegExp): DyingDatabase {
  let left = n;
  let dead = false;
  let die: () => void;
  const death = new Promise<void>((resolve) => (die = resolve));
  const say = (what: string): void => {
    if (!dead && concerns.test(what) && --left <= 0) {
      dead = true;
      die();
    }
    if (dead) throw new Error('this gateway was killed');
  };
  const prisma = database.prisma.$extends({
    query: {
      $allOperations: ({ model, operation, args, query }) => {
        say(`${model ?? ''} ${operation}`);
        return query(args);
      },
    },
  }) as unknown as Database['prisma'];
  const pool = new Proxy(database.pool, {
    get(target, name: string) {
      const own: unknown = Reflect.get(target, name);
      if (typeof own !== 'function') return own;
      if (name !== 'query') return own.bind(target) as unknown;
      return async (query: string | { text: string }, ...rest: unknown[]): Promise<unknown> => {
        say(typeof query === 'string' ? query : query.text);
        return (own as (...args: unknown[]) => Promise<unknown>).call(target, query, ...rest);
      };
    },
  });
  return { prisma, pool, url: database.url, death, close: () => Promise.resolve() };
}
