import type { AnswerStage } from '../../../answer/ask/stages';
import { STRATEGIES, mayDo } from '../../../answer/ask/strategies';
import type { AnswerShownFragment, Strategy, StrategyChoice } from '../../generated/operations';

const NAMES = Object.entries(STRATEGIES).map(([strategy, { title }]) => [strategy, title] as const);

/** What a strategy is called wherever a person reads it, as its definition has it. */
export const STRATEGY_NAMES = Object.fromEntries(NAMES) as Record<Strategy, string>;

/** Whether a question may say what this one reads, or what adapts it: where Graft chooses, it need not. */
export const does = (choice: StrategyChoice, capability: 'reads' | 'adapts'): boolean =>
  choice !== 'AUTO' && mayDo(choice, capability);

export const STRATEGY_CHOICES: { value: StrategyChoice; label: string }[] = [
  { value: 'AUTO', label: 'Graft chooses' },
  ...NAMES.map(([value, label]) => ({ value: value as Strategy, label })),
];

/** What a destination is called. Beside another that was chosen, the base model's probability is that the question is nobody's. */
export const destinationOf = (
  chosenStrategy: Strategy,
  { adapter, strategy, probability }: AnswerShownFragment['route']['candidates'][number],
): string =>
  adapter ??
  (strategy === 'BASE' && chosenStrategy !== 'BASE' && probability !== null
    ? 'none of these'
    : STRATEGY_NAMES[strategy]);

/** Stages in words; the API’s own names are short. */
const STAGE_NAMES: Record<AnswerStage, string> = {
  claim: 'join or begin',
  scope: 'find collections',
  route: 'choose who answers',
  plan: 'plan',
  features: 'look up facts',
  retrieve: 'search',
  evidence: 'pick evidence',
  check: 'ask the reader',
  compose: 'compose prompt',
  generate: 'write',
  cite: 'check and cite',
};

/** An answer that another version recorded may have stages of other names. */
export const stageName = (name: string): string =>
  Object.hasOwn(STAGE_NAMES, name) ? STAGE_NAMES[name as AnswerStage] : name;
