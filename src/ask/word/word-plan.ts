import type { Neighbour } from '../../data/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { Abstention, Evidence } from '../answer.js';
import { classify, labelTokensOf, type ClassifyStep } from './classify.js';
import type { Composed } from './compose.js';
import type { AskEvent } from '../events.js';
import { generate, type GenerateStep } from './generate.js';
import { classifyByRows } from './labelled-rows.js';
import type { Plan } from '../plan.js';
import type { Question } from '../question.js';
import { wordAbstention, wordAnswer, type Worded } from './word-answer.js';
import { wordCopy } from './word-copy.js';

export interface WordingStep extends ClassifyStep, GenerateStep {
  composed: Composed;
  question: Question;
  /** Why nothing is asked of the model; null when something is. */
  refusal: Abstention | null;
  /** Best first. */
  evidence: readonly Evidence[];
  /** The labelled rows nearest to the question; empty where the plan reads none. */
  neighbours: readonly Neighbour[];
}

/** Puts the plan's answer into words: the one place that tells the ways apart. @throws what the worker throws */
export function wordPlan(
  worker: Pick<WorkerClient, 'generate' | 'scoreNext'>,
  plan: Plan,
  { refusal, question, evidence, neighbours, ...step }: WordingStep,
): Generator<AskEvent, Worded> | AsyncGenerator<AskEvent, Worded> {
  const { composed } = step;
  const { minConfidence } = question;
  if (refusal) return wordAbstention(refusal);
  const labels = labelTokensOf(plan);
  if (plan.labelled) return classifyByRows(worker, { ...step, labels, rows: plan.labelled, neighbours, minConfidence });
  if (labels) return classify(worker, step, labels, minConfidence);
  if (composed.copyFrom) return wordCopy(generate(worker, step), minConfidence);
  const source = { best: evidence[0], read: composed.read };
  return wordAnswer(generate(worker, step), source, { question: question.text, adaptation: plan.adaptation });
}
