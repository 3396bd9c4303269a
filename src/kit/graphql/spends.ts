import type { GraphQLField } from 'graphql';
import { Extensions } from 'type-graphql';
import { enumeration } from '../../kernel/enumeration.js';

/**
 * What kind of paid work a field starts: an answer, one by each strategy, a search, work of a run, training. What it comes to is
 * counted while it goes on; `src/operate/access/budgets` says what is reserved for each.
 */
export const Spends = enumeration('ANSWER', 'ANSWERS', 'SEARCH', 'RUN', 'TRAINING');
export type Spends = keyof typeof Spends;

/** Answers that a question has by all strategies, of which nothing below `ask` knows: `test/unit/ask/strategies.test.ts` holds it to them. */
export const ANSWERS_TOGETHER = 4;

const EXTENSION = 'spends';
const CHECK = 'checksRequest';

/** What can be told of a request without doing anything for it, such as lengths. @throws what the field would throw for it */
type RequestCheck = (args: never) => unknown;

/**
 * Marks a field that starts paid work, beside its `@Query`, `@Mutation` or `@Subscription`: `@SpendsBudget('RUN')`. Budgets are
 * asked before it is resolved. `test/unit/graphql/spends.test.ts` names a field that starts a run and has no such mark.
 * @param check what is refused by it has asked for no room and no budget
 */
export const SpendsBudget = (work: Spends, check?: RequestCheck): MethodDecorator & PropertyDecorator =>
  Extensions({ [EXTENSION]: work, ...(check && { [CHECK]: check }) });

type Extended = Pick<GraphQLField<unknown, unknown>, 'extensions'>;

/** What a field declares to start; undefined where that is nothing. */
export const spendsOf = (field: Extended): Spends | undefined => {
  const work = field.extensions[EXTENSION];
  return typeof work === 'string' && Object.hasOwn(Spends, work) ? (work as Spends) : undefined;
};

/** @throws what the check of the field throws */
export const checkRequest = (field: Extended, args: object): void =>
  void (field.extensions[CHECK] as ((args: object) => unknown) | undefined)?.(args);
