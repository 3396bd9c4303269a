import type { Strategy, StrategyChoice } from '../../generated/operations';

/** What a strategy is called wherever a person reads it. */
export const STRATEGY_NAMES: Record<Strategy, string> = {
  BASE: 'Base model',
  RAG: 'Retrieval',
  ADAPTER: 'Adapter',
  HYBRID: 'Adapter and retrieval',
};

export const STRATEGY_CHOICES: { value: StrategyChoice; label: string }[] = [
  { value: 'AUTO', label: 'Graft chooses' },
  ...Object.entries(STRATEGY_NAMES).map(([value, label]) => ({ value: value as Strategy, label })),
];

/** Stages in words; the API’s own names are short. */
const STAGE_NAMES: Record<string, string> = {
  claim: 'join or begin',
  features: 'look up facts',
  scope: 'find collections',
  plan: 'plan',
  retrieve: 'search',
  evidence: 'pick evidence',
  compose: 'compose prompt',
  generate: 'write',
  cite: 'check and cite',
};

export const stageName = (name: string): string => STAGE_NAMES[name] ?? name;
