import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  cost,
  fromGlobalId,
  Needs,
  type ChangeValue,
  type GraphContext,
  inputType,
  listOf,
  objectType,
} from '../../../kit/graphql/index.js';
import { callerName } from '../../../kernel/caller.js';
import { notFound } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { date, id, oneOf, int, float } from '../../../kernel/record.js';
import { inWorkspace } from '../../../platform/database/index.js';
import { ApiKey } from '../keys/api-key-types.js';
import type { ApiKeyStore } from '../keys/api-key-store.js';
import { isOverseer, type WorkspaceService } from '../workspaces/workspace-service.js';
import { Workspace } from '../workspaces/workspace-types.js';
import { BudgetWindow, checkedLimits, type BudgetState } from './budget.js';
import type { BudgetStore } from './budget-store.js';
import type { Ledger } from './ledger.js';

/** A whole number that may have more than 32 bits. */
const big = (description: string) => int(description).meta({ shown: 'BigInt' });

const REQUESTS = 'Requests that start paid work: answers, searches, runs';
const TOKENS = 'Tokens that models read and write, embeddings by the four characters';
const CONCURRENT = 'Requests under way at once';
const MINUTES = 'Minutes that trainings and searches for a learning rate work';

const Budget = objectType('Budget', 'What may be spent in a window, and what is left of it.', {
  window: oneOf(BudgetWindow, 'The window.'),
  resetsAt: date('When the window ends and the next begins.'),
  requests: big(`${REQUESTS}; null for any number.`).nullable(),
  tokens: big(`${TOKENS}; null for any number.`).nullable(),
  concurrent: int(`${CONCURRENT}; null for any number.`).nullable(),
  trainingMinutes: float(`${MINUTES}; null for any number.`).nullable(),
  requestsLeft: big('Requests that are left; null without a limit.').nullable(),
  tokensLeft: big(
    'Tokens that are left beside what is held by requests under way; below 0 where the last came to more.',
  ).nullable(),
  concurrentLeft: int('How many more requests may be under way; null without a limit.').nullable(),
  trainingMinutesLeft: float('Minutes of training that are left; null without a limit.').nullable(),
});
type Budget = InstanceType<typeof Budget>;

const SetBudgetInput = inputType(
  'SetBudgetInput',
  'Limits of a window. All of them are set: what is left out has no limit, and none at all removes the budget.',
  {
    keyId: id(
      'Id of the key whose budget it is, and of those that follow it by rotation; the whole workspace’s by default.',
    ).nullish(),
    workspaceId: id(
      'Id of the workspace: your own by default; another for administrators of the first workspace only.',
    ).nullish(),
    window: oneOf(BudgetWindow, 'The window.'),
    requests: z.bigint().describe(`${REQUESTS}: 0 to 10¹².`).nullish(),
    tokens: z.bigint().describe(`${TOKENS}: 0 to 10¹⁵.`).nullish(),
    concurrent: int(`${CONCURRENT}: 0 to 10,000.`).nullish(),
    trainingMinutes: float(`${MINUTES}: 0 to 10⁶.`).nullish(),
  },
);
type SetBudgetInput = InstanceType<typeof SetBudgetInput>;

const SetBudgetPayload = objectType('SetBudgetPayload', 'The budgets as they are after the mutation.', {
  budgets: listOf(() => Budget, 'Of the key, or of the workspace where no key was named.'),
});
type SetBudgetPayload = InstanceType<typeof SetBudgetPayload>;

const toBudget = ({ window, resetsAt, limits, left }: BudgetState): Budget => ({
  window,
  resetsAt,
  ...limits,
  requestsLeft: left.requests,
  tokensLeft: left.tokens,
  concurrentLeft: left.concurrent,
  trainingMinutesLeft: left.trainingMinutes,
});

const numberOf = (value: number | bigint | null | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);

/** Limits as the audit log keeps them. */
const noted = (state: BudgetState | undefined): Record<string, ChangeValue> => ({ ...state?.limits });

interface BudgetResolverParts {
  ledger: Ledger;
  budgetStore: BudgetStore;
  keyStore: ApiKeyStore;
  workspaces: WorkspaceService;
}

@Resolver(() => ApiKey)
export class KeyBudgetResolver {
  constructor(private readonly parts: BudgetResolverParts) {}

  @FieldResolver(() => [Budget], {
    description: 'What it may spend, beside what its workspace may; empty for no limit.',
    complexity: cost(5),
  })
  async budgets(@Root() { row: { workspaceId, lineId } }: ApiKey): Promise<Budget[]> {
    const read = () => this.parts.ledger.states({ workspaceId, lineId });
    // Who looks after the installation sees keys of others.
    const states = await inWorkspace(workspaceId, read);
    return states.filter(({ subject }) => subject === lineId).map(toBudget);
  }
}

@Resolver(() => Workspace)
export class WorkspaceBudgetResolver {
  constructor(private readonly parts: BudgetResolverParts) {}

  @FieldResolver(() => [Budget], {
    description: 'What all of its keys together may spend; empty for no limit.',
    complexity: cost(5),
  })
  async budgets(@Root() { id }: Workspace, @Ctx() { caller }: GraphContext): Promise<Budget[]> {
    const workspaceId = fromGlobalId(id, 'Workspace', 'id') as string as WorkspaceId;
    if (workspaceId !== caller.workspaceId && !isOverseer(caller)) return [];
    const read = () => this.parts.ledger.states({ workspaceId, lineId: null });
    return (await inWorkspace(workspaceId, read)).map(toBudget);
  }

  @Needs('ADMIN')
  @Mutation(() => SetBudgetPayload, {
    description:
      'Says what a key or a workspace may spend in a window. It holds within a second on every gateway; what was spent in the window stays spent.',
  })
  async setBudget(
    @Arg('input', () => SetBudgetInput, { description: 'The limits.' }) input: SetBudgetInput,
    @Ctx() context: GraphContext,
  ): Promise<SetBudgetPayload> {
    const targetId = input.workspaceId ? fromGlobalId(input.workspaceId, 'Workspace', 'input.workspaceId') : null;
    const set = (workspaceId: WorkspaceId) => this.#set(workspaceId, input, context);
    return this.parts.workspaces.within(context.caller, targetId, 'input.workspaceId', set);
  }

  async #set(
    workspaceId: WorkspaceId,
    input: SetBudgetInput,
    { caller, change }: GraphContext,
  ): Promise<SetBudgetPayload> {
    const { budgetStore, ledger } = this.parts;
    const lineId = input.keyId ? await this.#line(workspaceId, input.keyId) : null;
    const limits = checkedLimits({
      requests: numberOf(input.requests),
      tokens: numberOf(input.tokens),
      concurrent: input.concurrent ?? null,
      trainingMinutes: input.trainingMinutes ?? null,
    });
    const subject = lineId ?? workspaceId;
    const states = async () =>
      (await ledger.states({ workspaceId, lineId })).filter((state) => state.subject === subject);
    change.before = noted((await states()).find(({ window }) => window === input.window));
    await budgetStore.set(workspaceId, subject, input.window, limits, callerName(caller));
    ledger.forget(workspaceId);
    const now = await states();
    change.after = { window: input.window, ...limits };
    change.subject = input.keyId ?? undefined;
    return { budgets: now.map(toBudget) };
  }

  async #line(workspaceId: WorkspaceId, keyId: string): Promise<string> {
    const key = await this.parts.keyStore.byId(workspaceId, fromGlobalId(keyId, 'ApiKey', 'input.keyId'));
    if (key === null) throw notFound('The key', keyId, 'input.keyId');
    return key.lineId;
  }
}
