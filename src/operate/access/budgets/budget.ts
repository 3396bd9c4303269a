import { ANSWERS_TOGETHER, type Spends } from '../../../kit/graphql/index.js';
import { badInput, GraftError } from '../../../kernel/errors.js';
import { choice } from '../../../kernel/record.js';

export const BudgetWindow = choice(
  'BudgetWindow',
  'The time for which a budget is given; it begins at full hours, days and months in UTC.',
  {
    HOUR: 'From one full hour to the next.',
    DAY: 'From midnight to midnight.',
    MONTH: 'From the first of a month to that of the next.',
  },
);
export type BudgetWindow = keyof typeof BudgetWindow;

/** Limits of one window; null where there is none. */
export interface BudgetLimits {
  requests: number | null;
  tokens: number | null;
  concurrent: number | null;
  trainingMinutes: number | null;
}

/** What is left of one budget; null where it has no limit. It is below nothing where a limit was lowered. */
export interface BudgetState {
  /** The line of a key, or the workspace. */
  subject: string;
  window: BudgetWindow;
  resetsAt: Date;
  limits: BudgetLimits;
  left: BudgetLimits;
}

/**
 * Tokens that are held while the work goes on, until it is known what it came to: about what one takes. Who has as much as one token
 * left may begin; what is held keeps others from beginning on the same token, so that a budget is overdrawn by one request at most.
 */
export const RESERVED_TOKENS: Readonly<Record<Spends, number>> = {
  ANSWER: 4_096,
  ANSWERS: ANSWERS_TOGETHER * 4_096,
  SEARCH: 64,
  RUN: 0,
  TRAINING: 0,
};

type Limit = keyof BudgetLimits;
const WORDS: Readonly<Record<Limit, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  concurrent: 'requests at once',
  trainingMinutes: 'minutes of training',
};

/** The budget that has nothing left for such work, and of what; null where all have some. */
export function spentOne(
  states: readonly BudgetState[],
  work: Spends | 'WORK',
): { state: BudgetState; limit: Limit } | null {
  for (const state of states)
    for (const limit of Object.keys(WORDS) as Limit[]) {
      const rest = state.left[limit];
      if (rest === null || rest > 0) continue;
      if (limit === 'trainingMinutes' && work !== 'TRAINING') continue;
      // A run that was asked for waits for a place of its own kind, not for one among requests.
      if (work === 'WORK' && (limit === 'concurrent' || limit === 'requests')) continue;
      return { state, limit };
    }
  return null;
}

/** So many more such requests must be able to begin, or a budget is close to its end. */
const CLOSE = 8;

/**
 * Whether what a request holds could have others refused who would be let in once it is settled, as far as its own reservation saw: others who
 * came behind it may have filled the budget since, and through another gateway one of them may then be told so for as long as a settlement takes.
 * @param states before it @param reservedTokens tokens that it holds
 */
export const isClose = (states: readonly BudgetState[], reservedTokens: number): boolean =>
  states.some(
    ({ left: { concurrent, tokens } }) =>
      (concurrent !== null && concurrent <= CLOSE) || (tokens !== null && tokens <= CLOSE * reservedTokens),
  );

/** @param now for how long it is until the window begins anew */
export function exceeded(
  { state, limit }: { state: BudgetState; limit: Limit },
  workspaceId: string,
  now: Date,
): GraftError {
  const budgetName = state.subject === workspaceId ? 'The workspace’s budget' : 'Your key’s budget';
  const period = limit === 'concurrent' ? '' : ` of this ${state.window.toLowerCase()}`;
  return new GraftError('BUDGET_EXCEEDED', `${budgetName} of ${WORDS[limit]}${period} is spent.`, {
    ...(limit !== 'concurrent' && {
      retryAfterSeconds: Math.max(1, Math.ceil((state.resetsAt.getTime() - now.getTime()) / 1_000)),
    }),
    hint:
      limit === 'concurrent'
        ? 'Wait for an answer before you ask again.'
        : `It begins anew at ${state.resetsAt.toISOString()}; an administrator can raise it with \`setBudget\`.`,
  });
}

const MOST: Readonly<Record<Limit, number>> = {
  requests: 1e12,
  tokens: 1e15,
  concurrent: 10_000,
  trainingMinutes: 1e6,
};

/** @throws BAD_USER_INPUT */
export function checkedLimits(limits: BudgetLimits): BudgetLimits {
  for (const [name, maximum] of Object.entries(MOST) as [Limit, number][]) {
    const value = limits[name];
    const fits =
      value === null || (value >= 0 && value <= maximum && (name === 'trainingMinutes' || Number.isInteger(value)));
    if (!fits) throw badInput(`input.${name}`, `input.${name} must be between 0 and ${maximum}, or null for no limit.`);
  }
  return limits;
}
