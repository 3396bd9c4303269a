import { createUnionType } from 'type-graphql';
import { z } from 'zod';
import { EntityType, TaskKind } from '../../../sources/data/index.js';
import {
  make,
  NodeType,
  recordType,
  objectType,
  listOf,
  ofType,
  nodeOf,
  fieldsOf,
  toOne,
  toItsOwn,
} from '../../../kit/graphql/index.js';
import { string, float, boolean, oneOf, id, date } from '../../../kernel/record.js';
import { Chunk, loadChunk, type KnowledgeStores } from '../../../sources/knowledge/index.js';
import { loadVariant, ModelVariant, type ModelRegistry } from '../../../sources/registry/index.js';
import {
  AnswerBasis,
  basisOf,
  confidenceOf,
  adapterUsed,
  answerBody,
  functionCall,
  type Answer as AnswerRecord,
  type Assignment,
  promptPassage,
} from '../answer.js';
import { GONE } from './quotation-graphql.js';

const TextOutput = objectType('TextOutput', 'An answer in words.', {
  text: string('The same as `Answer.text`.'),
});

const LabelProbability = objectType('LabelProbability', 'A label and how probable it is.', {
  label: string('The label, as the dataset writes it.'),
  probability: float('Its probability among the labels of the set, 0 to 1.'),
});

const LabelOutput = objectType('LabelOutput', 'An answer as one label of a set.', {
  label: string('The label, as the dataset writes it; the same as `Answer.text`.'),
  probability: float(
    'Its probability among the labels of the set, 0 to 1; null where the label was written as text.',
  ).nullable(),
  alternatives: listOf(
    () => LabelProbability,
    'At most ten other labels, most probable first; empty where none has a probability.',
  ),
});

const EntitiesOutput = objectType(
  'EntitiesOutput',
  'An answer as the named entities of the text that was asked about.',
  {
    entities: listOf(() => EntityType, 'The entities in the order of the text; offsets are into `Answer.question`.'),
  },
);

export const FunctionCall = recordType(functionCall);
export type FunctionCall = InstanceType<typeof FunctionCall>;

const CallsOutput = objectType(
  'CallsOutput',
  'An answer that calls functions of the program which asked, for it to go on with.',
  {
    said: string('What the model said before; empty where it said nothing.'),
    calls: listOf(() => FunctionCall, 'The calls, in order.'),
  },
);

const AnswerOutput = createUnionType({
  name: 'AnswerOutput',
  description: 'An answer in the form of its task; `Answer.text` is always there.',
  types: () => [TextOutput, LabelOutput, EntitiesOutput, CallsOutput] as const,
});

const SHOWN_ALTERNATIVES = 10;

function toOutput({ output, text }: AnswerRecord): typeof AnswerOutput {
  switch (output.kind) {
    case 'TEXT':
      return make(TextOutput, { text });
    case 'ENTITIES':
      return make(EntitiesOutput, { entities: output.entities });
    case 'CALLS':
      return make(CallsOutput, { said: output.said, calls: output.calls.map((call) => make(FunctionCall, call)) });
    case 'LABEL': {
      const { label, probabilities } = output;
      const alternatives = probabilities
        .filter((entry) => entry.label !== label)
        .sort((a, b) => b.probability - a.probability);
      return make(LabelOutput, {
        label,
        probability: probabilities.find((entry) => entry.label === label)?.probability ?? null,
        alternatives: alternatives.slice(0, SHOWN_ALTERNATIVES),
      });
    }
  }
}

export const AppliedAdapter = recordType(adapterUsed);
export type AppliedAdapter = InstanceType<typeof AppliedAdapter>;
const PromptPassage = recordType(promptPassage);
type PromptPassage = InstanceType<typeof PromptPassage>;

export const Answer = objectType(
  'Answer',
  'An answer to a question, as it was recorded.',
  {
    ...answerBody.shape,
    question: string('What was asked, after its pre-processing.'),
    text: string('The answer in words, or the sentence that says why there is none.'),
    output: ofType(() => AnswerOutput, 'The answer in the form of its task.'),
    task: oneOf(
      TaskKind,
      'What kind of answer it is: that of the adapter or the labelled rows, else what the caller asked for, else `QUESTION_ANSWERING`.',
    ),
    confidence: float(
      'Estimated probability that it is right, 0 to 1: that of its label, else its `answerability`; null where nothing can tell.',
    ).nullable(),
    basis: oneOf(AnswerBasis, 'What it rests on.'),
    abstained: boolean('Whether no answer was given.'),
    modelDigest: string('SHA-256 of the model file that answered, 64 hexadecimal digits.'),
    requestId: id('The request id that it was asked under, or the one that Graft made up.'),
    conversationId: id('The conversation that it was asked in; null without one.').nullable(),
    createdAt: date('When it was asked.'),
    assignment: z.custom<Assignment | null>(),
    row: z.custom<AnswerRecord>(),
  },
  NodeType,
);
export type Answer = InstanceType<typeof Answer>;

export const toAnswer = (row: AnswerRecord): Answer =>
  nodeOf(Answer, row, {
    output: toOutput(row),
    confidence: confidenceOf(row),
    basis: basisOf(row),
    abstained: row.abstention !== null,
    modelDigest: row.variant.sha256,
  });

export const AnswerResolver = fieldsOf<Answer, { registry: ModelRegistry }>(() => Answer, {
  model: toItsOwn(
    () => ModelVariant,
    'The model that answered, or would have.',
    (answer, context, { registry }) => loadVariant(context, registry, answer.row.variant.id),
    { cost: 2 },
  ),
});

export const PromptPassageResolver = fieldsOf<PromptPassage, { stores: KnowledgeStores }>(() => PromptPassage, {
  chunk: toOne(
    () => Chunk,
    `The passage; ${GONE}`,
    (passage, context, { stores }) => loadChunk(context, stores, passage.chunkId),
  ),
});
