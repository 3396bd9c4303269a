import { enumeration } from '../../kernel/enumeration.js';

/** The adapter that reads for whoever names none: see `src/learn/training/built-in`. */
export const READER = 'reader';

interface StrategyDefinition {
  /** Whether passages or labelled rows are read. */
  reads: boolean;
  /** Whether an adapter acts on the model. */
  adapts: boolean;
  /** Whether an answer may be held to JSON of a form: what quotes or copies documents can't be. */
  takesForm: boolean;
  /** The adapter that acts for whoever names none; missing where one has to be named, or none acts. */
  adapter?: string;
  /** What it is called where a person reads it. */
  title: string;
  /** What an answer is made with, for the API. */
  description: string;
  /** What a question asks for that names it, for the API. */
  asked: string;
}

/**
 * Every strategy. Router, plan, comparison, configuration, `/v1` and the console know a strategy by its entry; how it reads, judges and
 * words stands in `strategy-stages.ts`, which doesn't compile without. Two lists are kept by hand: model names in `src/server/openai/model-names.ts`
 * and the router's places in `src/prove/router/fit-router.ts`. Nothing is imported here but names: the console's page does.
 */
export const STRATEGIES = {
  BASE: {
    reads: false,
    adapts: false,
    takesForm: true,
    title: 'Base model',
    description: 'The base model alone, from what it knows.',
    asked: 'The base model alone, from what it knows. Nothing is checked against documents.',
  },
  RAG: {
    reads: true,
    adapts: false,
    takesForm: true,
    title: 'Retrieval',
    description: 'Retrieval: from passages of the workspace’s documents.',
    asked:
      'From passages of the workspace’s documents, or not at all: no adapter answers. The reader that comes with Graft judges them (`reader`).',
  },
  ADAPTER: {
    reads: false,
    adapts: true,
    takesForm: true,
    title: 'Adapter',
    description: 'The base model with a fine-tuned adapter, from the question alone.',
    asked: 'With the adapter that `adapter` names, from the question alone.',
  },
  HYBRID: {
    reads: true,
    adapts: true,
    takesForm: false,
    adapter: READER,
    title: 'Adapter and retrieval',
    description: 'Adapter and retrieval in one answer: the adapted model reads passages.',
    asked:
      'With the adapter that `adapter` names, else the reader that comes with Graft, from passages, or not at all. A question is answered with a span of them.',
  },
} as const satisfies Record<string, StrategyDefinition>;

/** What an answer is made with. */
export type Strategy = keyof typeof STRATEGIES;
export const Strategy = enumeration(...(Object.keys(STRATEGIES) as Strategy[]));

/** What a question is to be answered with. */
export const StrategyChoice = { ...enumeration('AUTO'), ...Strategy };
export type StrategyChoice = keyof typeof StrategyChoice;

/** The definition of a strategy. */
export const strategyOf = (strategy: Strategy): StrategyDefinition => STRATEGIES[strategy];

/** Whether a strategy reads, or applies an adapter; what is left to Graft may do either. */
export const mayDo = (choice: StrategyChoice, ability: 'reads' | 'adapts'): boolean =>
  choice === 'AUTO' || STRATEGIES[choice][ability];

/** The strategies of which something holds, in their order. */
export const strategiesThat = (holds: (definition: StrategyDefinition) => boolean): Strategy[] =>
  Object.values(Strategy).filter((strategy) => holds(STRATEGIES[strategy]));

/** The strategy that a place of the router, or a default, is answered by: the first that does just that. */
export function strategyThat({ reads, adapts }: Pick<StrategyDefinition, 'reads' | 'adapts'>): Strategy {
  const [first] = strategiesThat((definition) => definition.reads === reads && definition.adapts === adapts);
  if (first === undefined) throw new Error(`no strategy ${reads ? 'reads' : 'doesn’t read'} and adapts as asked`);
  return first;
}
