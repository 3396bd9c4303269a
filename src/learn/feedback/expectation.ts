import { z } from 'zod';
import { entitySchema, hasLabel, taskOf, type TaskKind } from '../../sources/data/index.js';
import type { Answer } from '../../answer/ask/index.js';
import { badInput } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/hashing.js';
import { record, string, boolean, list } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import { checkedText } from '../../kernel/text.js';

export const EXPECTATION_LIMITS = { label: 200, text: 8_000, entities: 500 } as const;

export const expectedLabel = record('ExpectedLabel', 'A label that is right.', {
  kind: z.literal('LABEL'),
  label: string('The label.'),
  /** Whoever says so knows that it is a new one. */
  isNew: boolean('Whether it was said to be one that no dataset need have.'),
});
export const expectedEntities = record('ExpectedEntities', 'The entities that are right.', {
  kind: z.literal('ENTITIES'),
  entities: list(entitySchema, 'All of them, in order; offsets are into `Answer.question`.'),
});
export const expectedText = record('ExpectedText', 'A text that is right, or the passage that holds it.', {
  kind: z.literal('TEXT'),
  text: string('The text; null where only the passage is known.').nullable(),
  /** The chunk that holds the answer; its words stay where they are, so that they go with their document. */
  passageId: z.string().nullable(),
});

/** What the right answer is, in the form of its task. */
const expectation = z.discriminatedUnion('kind', [expectedLabel, expectedEntities, expectedText]);
export type Expectation = z.infer<typeof expectation>;

/** The column `expectation`. */
export const storedExpectation = storedJson(expectation.nullable());

export interface ExpectationInput {
  label?: string | null;
  newLabel?: boolean | null;
  entities?: readonly { type: string; start: number; end: number }[] | null;
  text?: string | null;
  /** Row id of a chunk. */
  passageId?: string | null;
}

/** @throws BAD_USER_INPUT unless exactly one form is given */
export function checkedExpectation(input: ExpectationInput, field: string): Expectation {
  const { label = null, entities = null, text = null, passageId = null } = input;
  const forms = [label !== null, entities !== null, text !== null || passageId !== null].filter(Boolean).length;
  if (forms !== 1)
    throw badInput(field, 'An expectation is a label, entities, or a text and the passage that holds it.');
  if (label !== null)
    return {
      kind: 'LABEL',
      label: checkedText(label, `${field}.label`, EXPECTATION_LIMITS.label).trim(),
      isNew: input.newLabel ?? false,
    };
  if (entities !== null) {
    if (entities.length > EXPECTATION_LIMITS.entities)
      throw badInput(`${field}.entities`, `At most ${EXPECTATION_LIMITS.entities} entities are taken.`);
    return {
      kind: 'ENTITIES',
      entities: entities
        .map(({ type, start, end }, i) => ({
          start,
          end,
          text: '',
          type: checkedText(type, `${field}.entities.${i}.type`, EXPECTATION_LIMITS.label).trim(),
        }))
        .sort((a, b) => a.start - b.start || a.end - b.end),
    };
  }
  return {
    kind: 'TEXT',
    text: text === null ? null : checkedText(text, `${field}.text`, EXPECTATION_LIMITS.text).trim(),
    passageId,
  };
}

/** What a task’s right answers look like. */
const formOf = (task: TaskKind): Expectation['kind'] =>
  hasLabel(task) ? 'LABEL' : taskOf(task).typesPath !== null ? 'ENTITIES' : 'TEXT';

/**
 * The expectation, held against the answer: its form is that of the answer’s task, or a label where a text was given to what
 * was to be classified; entities lie in the question and don’t overlap.
 * @returns it with the entities’ texts
 * @throws BAD_USER_INPUT
 */
export function fittedExpectation(expectation: Expectation, answer: Answer, field: string): Expectation {
  const form = formOf(answer.task);
  // A question that should have been classified is worth learning from, for the router above all.
  const misrouted = expectation.kind === 'LABEL' && form === 'TEXT';
  if (expectation.kind !== form && !misrouted)
    throw badInput(
      field,
      `The answer is one of ${answer.task}: ${NAMES[form]} are expected of it, not ${NAMES[expectation.kind]}.`,
      `Give ${NAMES[form]}.`,
    );
  if (expectation.kind === 'TEXT' && expectation.passageId !== null && answer.task !== 'QUESTION_ANSWERING')
    throw badInput(`${field}.passage`, `No passage holds an answer of ${answer.task}.`, 'Give the text alone.');
  return expectation.kind === 'ENTITIES'
    ? { kind: 'ENTITIES', entities: located(expectation, answer.question, field) }
    : expectation;
}

const NAMES = { LABEL: 'labels', ENTITIES: 'entities', TEXT: 'texts' } as const;

function located(
  { entities }: Extract<Expectation, { kind: 'ENTITIES' }>,
  question: string,
  field: string,
): Extract<Expectation, { kind: 'ENTITIES' }>['entities'] {
  return entities.map(({ type, start, end }, i) => {
    const place = `${field}.entities.${i}`;
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start >= end || end > question.length)
      throw badInput(place, `An entity from ${start} to ${end} lies outside of the question.`);
    if (i > 0 && start < entities[i - 1]!.end) throw badInput(place, 'Entities overlap.');
    return { type, start, end, text: question.slice(start, end) };
  });
}

/** What a vote says that the right answer is: `ANSWER`, that it is not that, or a digest of another one. */
export const AS_ANSWERED = 'ANSWER';
export const NOT_AS_ANSWERED = 'NOT';

/** Whether an expectation is what was answered, and how it is counted among others. */
export function verdictOf(expectation: Expectation, answer: Answer): string {
  return isAnswered(expectation, answer) ? AS_ANSWERED : digestOf(meaningOf(expectation)).slice(0, 32);
}

function isAnswered(expectation: Expectation, { output, text, abstention, passages }: Answer): boolean {
  if (abstention !== null) return false;
  switch (expectation.kind) {
    case 'LABEL':
      return expectation.label === (output.kind === 'LABEL' ? output.label : text.trim());
    case 'ENTITIES':
      return output.kind === 'ENTITIES' && entityKey(expectation.entities) === entityKey(output.entities);
    case 'TEXT':
      return expectation.text === null
        ? passages.some(({ used, chunkId }) => used && chunkId === expectation.passageId)
        : plain(expectation.text) === plain(text);
  }
}

const meaningOf = (expectation: Expectation): unknown =>
  expectation.kind === 'LABEL'
    ? expectation.label
    : expectation.kind === 'ENTITIES'
      ? entityKey(expectation.entities)
      : [
          expectation.text === null ? null : plain(expectation.text),
          expectation.text === null ? expectation.passageId : null,
        ];

const entityKey = (entities: readonly { type: string; start: number; end: number }[]): string =>
  entities
    .map(({ type, start, end }) => `${start}:${end}:${type}`)
    .sort()
    .join(' ');

/** Case and blanks tell no two texts apart. */
const plain = (text: string): string => text.trim().replace(/\s+/gu, ' ').toLowerCase();

/** What an answer says, as an expectation of just that is counted: equal for answers that say the same; null for one that says nothing. */
export function verdictOn({ output, text, abstention }: Pick<Answer, 'output' | 'text' | 'abstention'>): string | null {
  if (abstention !== null) return null;
  const expectation: Expectation =
    output.kind === 'LABEL'
      ? { kind: 'LABEL', label: output.label, isNew: false }
      : output.kind === 'ENTITIES'
        ? { kind: 'ENTITIES', entities: output.entities }
        : { kind: 'TEXT', text, passageId: null };
  return digestOf(meaningOf(expectation)).slice(0, 32);
}
