import { enumeration } from '../kernel/enumeration.js';

interface StrategyDefinition {
  /** Whether passages or labelled rows are read. */
  reads: boolean;
  /** Whether an adapter acts on the model. */
  adapts: boolean;
  /** What an answer is made with, for the API. */
  description: string;
  /** What a question asks for that names it, for the API. */
  asked: string;
}

/**
 * Every strategy: every stage asks the plan, and the plan this table. A new one is an entry here, its name in the console and, if it
 * puts the question in a form of its own, a case of `frameOf`.
 */
export const STRATEGIES = {
  BASE: {
    reads: false,
    adapts: false,
    description: 'The base model alone, from what it knows.',
    asked: 'The base model alone, from what it knows. Nothing is checked against documents.',
  },
  RAG: {
    reads: true,
    adapts: false,
    description: 'Retrieval: from passages of the workspace’s documents.',
    asked: 'From passages of the workspace’s documents, or not at all.',
  },
  ADAPTER: {
    reads: false,
    adapts: true,
    description: 'The base model with a fine-tuned adapter, from the question alone.',
    asked: 'With the adapter that `adapter` names, from the question alone.',
  },
  HYBRID: {
    reads: true,
    adapts: true,
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
