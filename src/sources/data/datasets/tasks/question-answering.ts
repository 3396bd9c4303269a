import { z } from 'zod';
import { record } from '../../../../kernel/record.js';
import { oneLine, REFUSAL, withFacts } from '../../../prompting/index.js';
import { DataFormat } from '../files/formats.js';
import type { MappingOnto } from '../files/file-mapping.js';
import { codePointOffsets } from './entity-forms.js';
import { defineTask, spanSchema, TASK_DEFAULTS, type Span, type TaskAnswer } from './task.js';
import { asJson, asText, fail, isRecord, requiredText } from './values.js';

type QuestionField = 'QUESTION' | 'CONTEXT' | 'PASSAGES' | 'ANSWER' | 'ANSWER_START' | 'ANSWERS';

export const questionAnswering = defineTask({
  ...TASK_DEFAULTS,
  description: 'A question is answered, with or without a given context.',
  schema: record('QuestionContent', 'A question and its answer.', {
    question: z.string().meta({ description: 'The question.' }),
    context: z.string().optional().meta({ description: 'The text that it is about; null when there is none.' }),
    passages: z.array(z.string()).optional().meta({
      description:
        'Texts that it is answered from, as they are shown, the right one among others; null when there are none.',
    }),
    answer: z.string().meta({ description: 'The right answer.' }),
    spans: z
      .array(spanSchema)
      .optional()
      .meta({ description: 'Where the answer stands in the context; null when unknown.' }),
  }),

  fields: {
    QUESTION: { description: 'A question.', names: ['question', 'query'] },
    CONTEXT: {
      description: 'The text that it is about.',
      names: ['context', 'passage', 'paragraph', 'document'],
    },
    PASSAGES: { description: 'Texts to answer it from, as a JSON list, in place of a context.', names: ['passages'] },
    ANSWER: { description: 'Its answer.', names: ['answer', 'answer_text', 'response'] },
    ANSWER_START: { description: 'Where the answer starts in the context.', names: ['answer_start', 'start'] },
    ANSWERS: { description: 'Answers as JSON in the form of SQuAD.', names: ['answers'] },
  },
  needs: [
    ['QUESTION', 'ANSWER'],
    ['QUESTION', 'ANSWERS'],
  ],
  confidence(columns) {
    if (columns.format === DataFormat.SQUAD) return 1;
    return columns.find('QUESTION') && (columns.find('ANSWER') || columns.find('ANSWERS')) ? 0.7 : 0;
  },
  suggest(columns) {
    const passages = columns.find('PASSAGES', [], (values) => values.every((value) => listOfTexts(value) !== null));
    const selection = columns.pick('QUESTION', 'CONTEXT', 'ANSWERS');
    const picked = selection.ANSWERS ? selection : columns.pick('QUESTION', 'CONTEXT', 'ANSWER', 'ANSWER_START');
    return { columns: { ...picked, ...(passages !== undefined && { PASSAGES: passages }) } };
  },
  build(values, mapping) {
    const context = asText(values.CONTEXT);
    const { answer, spans } = buildAnswer(values, context, mapping);
    const question = requiredText(values, 'QUESTION');
    const passages = buildPassages(values.PASSAGES);
    return {
      question,
      ...(context !== null && { context }),
      ...(passages !== null && { passages }),
      answer,
      ...(spans.length > 0 && { spans }),
    };
  },

  stored: { text: 'question' },
  inputText: (row) => row.question,
  scope: (row) => row.passages?.join('\n\n') ?? row.context ?? '',
  // Questions on one context stay together.
  group: (row) => row.context || null,
  outputText: (row) => row.answer,
  texts: (row) => [
    ['question', row.question],
    ...(row.context === undefined ? [] : [['context', row.context] as [string, string]]),
    ...(row.passages ?? []).map((passage, i): [string, string] => [`passage ${i + 1}`, passage]),
    ['answer', row.answer],
  ],
  edit(row, edit) {
    const context = row.context === undefined ? undefined : edit(row.context);
    return {
      ...row,
      question: edit(row.question).text,
      answer: edit(row.answer).text,
      ...(context && { context: context.text }),
      ...(row.passages && { passages: row.passages.map((passage) => edit(passage).text) }),
      ...(context && row.spans && { spans: row.spans.map((span) => context.moveSpan(span)) }),
    };
  },
  spans: (row) => ({ text: row.context ?? '', spans: row.spans ?? [], exclusive: false }),

  passages: (row) => shownOf(row),

  ask: (question): QuestionInput => ({ question }),
  /**
   * Passages first, then the question: what stands in front of it can be shared by several questions. Each passage stays on one
   * line, so that no line of a document can pass for the question.
   */
  prompt(row, _context, { facts, passages }) {
    const { question } = row;
    const visiblePassages = passages ?? shownOf(row);
    const request =
      visiblePassages.length === 0
        ? 'Answer the question with a short phrase.'
        : `Answer the question with a short phrase copied from the passages. If the passages do not contain the answer, say: ${REFUSAL}`;
    return [
      { role: 'system', content: request },
      {
        role: 'user',
        content: [
          ...visiblePassages.map((text, i) => `Passage ${i + 1}: ${oneLine(text)}`),
          facts === '' ? `Question: ${oneLine(question)}` : withFacts(oneLine(question), facts),
        ].join('\n\n'),
      },
    ];
  },
  answer: (row) => oneLine(row.answer),
  read: (text) => (text.trim() === '' ? null : asAnswer(text)),
  right: (row) => asAnswer(row.answer),
  fromPassages: true,

  training: { answer: 'TEXT', maxTokens: 640 },
  answering: { maxTokens: 96, stop: [] },
  measure: 'ANSWERS',
});

/** A type, not an interface: inputs of all tasks have to pass for records. */
type QuestionInput = { question: string; context?: string | undefined; passages?: string[] | undefined };

/** What a question is answered from. */
const shownOf = ({ context, passages }: QuestionInput): readonly string[] =>
  passages ?? (context === undefined ? [] : [context]);

const listOfTexts = (value: unknown): string[] | null => {
  const list = asJson(value);
  return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : null;
};

function buildPassages(value: unknown): string[] | null {
  if (value === undefined || value === null || value === '') return null;
  return listOfTexts(value) ?? fail('wrong-type', 'PASSAGES is not a list of texts.');
}

/** An answer, or a refusal: nothing, or the words in which a model says that the passages don't tell. */
function asAnswer(text: string): TaskAnswer {
  const answer = text.trim();
  const isRefusal = answer === '' || plain(answer) === plain(REFUSAL);
  return { kind: 'TEXT', text: isRefusal ? '' : answer, refused: isRefusal };
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Answers in SQuAD's form (a list) or that of its Parquet copies (lists by key), with offsets into the context. */
function buildAnswer(
  values: Readonly<Partial<Record<QuestionField, unknown>>>,
  context: string | null,
  mapping: MappingOnto,
): { answer: string; spans: Span[] } {
  const toUtf16 =
    context !== null && mapping.offsets === 'CODE_POINTS' ? codePointOffsets(context) : (offset: number) => offset;
  const span = (text: string, startValue: unknown): Span[] => {
    const start = typeof startValue === 'string' && startValue.trim() !== '' ? Number(startValue) : startValue;
    return context !== null && typeof start === 'number' && Number.isInteger(start) && start >= 0
      ? [{ text, start: toUtf16(start), end: toUtf16(start) + text.length }]
      : [];
  };
  if (values.ANSWER !== undefined) {
    const answer = requiredText(values, 'ANSWER');
    return { answer, spans: span(answer, values.ANSWER_START) };
  }
  const answers = listed(asJson(values.ANSWERS)).map((item) => (isRecord(item) ? item : { text: item }));
  const texts = answers.map((item) => asText(item['text']));
  if (texts.length === 0 || texts.some((text) => text === null)) fail('missing-value', 'The question has no answer.');
  const spans = answers.flatMap((item, i) => span(texts[i]!, item['answer_start']));
  return { answer: texts[0]!, spans: [...new Map(spans.map((s) => [`${s.start}:${s.end}`, s])).values()] };
}

function listed(form: unknown): unknown[] {
  if (Array.isArray(form)) return form;
  if (!isRecord(form)) return fail('wrong-type', 'ANSWERS is neither a list of answers nor lists by key.');
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return list(form['text']).map((text, i) => ({ text, answer_start: list(form['answer_start'])[i] }));
}
