import type { BudgetFieldsFragment } from '../../generated/operations';

/** What a budget limits, in the order in which it is shown. */
export const LIMITS = [
  { name: 'requests', label: 'Requests', left: 'requestsLeft' },
  { name: 'tokens', label: 'Tokens', left: 'tokensLeft' },
  { name: 'concurrent', label: 'At once', left: 'concurrentLeft' },
  { name: 'trainingMinutes', label: 'Training, minutes', left: 'trainingMinutesLeft' },
] as const;
export type Limit = (typeof LIMITS)[number];

export const WINDOWS = [
  { value: 'HOUR', label: 'An hour' },
  { value: 'DAY', label: 'A day' },
  { value: 'MONTH', label: 'A month' },
] as const;

/** `BigInt`s come as numbers or text. */
export const numberOf = (value: number | string | null): number | null => (value === null ? null : Number(value));

/** How much of a limit is spent; null where there is none. */
export function spentOf(budget: BudgetFieldsFragment, { name, left }: Limit): { limit: number; spent: number } | null {
  const [limit, rest] = [numberOf(budget[name]), numberOf(budget[left])];
  return limit === null || rest === null ? null : { limit, spent: limit - rest };
}
