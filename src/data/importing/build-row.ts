import { codePointOffsets, fromBio, locateMentions } from '../tasks/entity-forms.js';
import { TaskKind, type Entity, type Span, type TaskRow } from '../tasks/task-kinds.js';
import { DataField, type FileMapping } from './mapping.js';
import type { RecordFault } from './records.js';

/** Something about one row that a rule reports: the rule's id and a note. */
export interface RowNote {
  rule: string;
  note: string;
}

export interface BuiltRow {
  row: TaskRow;
  /** What was noticed while the row was built, e.g. an entity whose place is ambiguous. */
  notes: RowNote[];
}

type Values = Partial<Record<DataField, unknown>>;

class Fault extends Error {
  constructor(readonly fault: RecordFault) {
    super(fault.message);
  }
}

const fail = (rule: string, message: string): never => {
  throw new Fault({ rule, message });
};

/** The value as text: numbers and booleans too, since labels often are; null for what is no single value. */
function asText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : null;
}

function requiredText(values: Values, field: DataField): string {
  const value = values[field];
  if (value === undefined || value === null) return fail('missing-value', `${field} has no value.`);
  return asText(value) ?? fail('wrong-type', `${field} is not a text.`);
}

/** A JSON value: parsed where the file holds it as text. */
function asJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** A list of texts: a JSON array, or words between blanks. */
function asWords(value: unknown): string[] | null {
  const list =
    typeof value === 'string' && !value.trimStart().startsWith('[') ? value.trim().split(/\s+/) : asJson(value);
  return Array.isArray(list) && list.every((item) => asText(item) !== null) ? list.map((item) => asText(item)!) : null;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const triple = ([start, end, type]: unknown[]) => ({ start, end, type });

/** Entities in any of the forms that public sets use: with offsets, as mentions with a type, or mentions listed by type. */
function buildEntities(text: string, value: unknown, mapping: FileMapping, notes: RowNote[]): Entity[] {
  const form = asJson(value);
  if (Array.isArray(form)) {
    const items = form.map((item: unknown) => (Array.isArray(item) ? triple(item as unknown[]) : item));
    if (!items.every(isRecord)) return fail('wrong-type', 'ENTITIES is a list of something else than entities.');
    const typed = items.map((item) => ({
      ...item,
      type: asText(item['type'] ?? item['label'] ?? item['entity_group']),
    }));
    if (typed.some((item) => item.type === null)) return fail('wrong-type', 'An entity has no type.');
    if (typed.every((item) => Number.isInteger(item['start' as never]))) {
      const toUtf16 = mapping.offsets === 'CODE_POINTS' ? codePointOffsets(text) : (offset: number) => offset;
      return typed.map((item: Record<string, unknown>) => {
        const start = toUtf16(item['start'] as number);
        const given = asText(item['text'] ?? item['word']);
        const end = Number.isInteger(item['end']) ? toUtf16(item['end'] as number) : start + (given?.length ?? 0);
        return { type: item['type'] as string, start, end, text: given ?? text.slice(start, end) };
      });
    }
    const byType: Record<string, string[]> = {};
    for (const item of typed as Record<string, unknown>[])
      (byType[item['type'] as string] ??= []).push(asText(item['text'] ?? item['word']) ?? '');
    return located(text, byType, notes);
  }
  if (
    isRecord(form) &&
    Object.values(form).every((list) => Array.isArray(list) && list.every((m) => typeof m === 'string'))
  )
    return located(text, form as Record<string, string[]>, notes);
  return fail(
    'wrong-type',
    'ENTITIES has none of the known forms: a JSON list of entities, or lists of mentions by type.',
  );
}

function located(text: string, byType: Record<string, string[]>, notes: RowNote[]): Entity[] {
  const { entities, ambiguous, missing } = locateMentions(text, byType);
  if (missing.length > 0) notes.push({ rule: 'entity-not-found', note: missing.join(' | ') });
  if (ambiguous.length > 0) notes.push({ rule: 'entity-ambiguous', note: ambiguous.join(' | ') });
  return entities;
}

/** Answers in SQuAD's form (a list) or that of its Parquet copies (lists by key), with offsets into the context. */
function buildAnswer(values: Values, mapping: FileMapping): { answer: string; spans?: Span[] } {
  const context = asText(values.CONTEXT);
  const toUtf16 =
    context !== null && mapping.offsets === 'CODE_POINTS' ? codePointOffsets(context) : (offset: number) => offset;
  const span = (text: string, start: unknown): Span[] =>
    context !== null && typeof start === 'number' && Number.isInteger(start) && start >= 0
      ? [{ text, start: toUtf16(start), end: toUtf16(start) + text.length }]
      : [];
  if (values.ANSWER !== undefined) {
    const answer = requiredText(values, DataField.ANSWER);
    const start = values.ANSWER_START;
    const spans = span(answer, typeof start === 'string' && start.trim() !== '' ? Number(start) : start);
    return spans.length > 0 ? { answer, spans } : { answer };
  }
  const form = asJson(values.ANSWERS);
  const list: unknown[] = isRecord(form)
    ? ((form['text'] as unknown[] | undefined) ?? []).map((text, i) => ({
        text,
        answer_start: (form['answer_start'] as unknown[] | undefined)?.[i],
      }))
    : Array.isArray(form)
      ? form
      : fail('wrong-type', 'ANSWERS is neither a list of answers nor lists by key.');
  const answers = list.map((item) => (isRecord(item) ? item : { text: item }));
  const texts = answers.map((item) => asText(item['text']));
  if (texts.length === 0 || texts.some((text) => text === null))
    return fail('missing-value', 'The question has no answer.');
  const spans = answers.flatMap((item, i) => span(texts[i]!, item['answer_start']));
  const unique = [...new Map(spans.map((s) => [`${s.start}:${s.end}`, s])).values()];
  return unique.length > 0 ? { answer: texts[0]!, spans: unique } : { answer: texts[0]! };
}

const ROLES: Readonly<Record<string, 'system' | 'user' | 'assistant'>> = {
  system: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
};

function buildMessages(values: Values): { role: 'system' | 'user' | 'assistant'; content: string }[] {
  if (values.MESSAGES === undefined) {
    const system = asText(values.SYSTEM);
    return [
      ...(system ? [{ role: 'system' as const, content: system }] : []),
      { role: 'user', content: requiredText(values, DataField.PROMPT) },
      { role: 'assistant', content: requiredText(values, DataField.RESPONSE) },
    ];
  }
  const list = asJson(values.MESSAGES);
  if (!Array.isArray(list) || list.length === 0) return fail('wrong-type', 'MESSAGES is not a list of messages.');
  return list.map((item: unknown) => {
    const message = isRecord(item) ? item : fail('wrong-type', 'A message is not an object.');
    const role = ROLES[String(message['role'] ?? message['from']).toLowerCase()];
    const content = asText(message['content'] ?? message['value']);
    if (!role || content === null)
      return fail('wrong-type', 'A message needs a role (system, user, assistant) and a text.');
    return { role, content };
  });
}

function build(task: TaskKind, values: Values, mapping: FileMapping, notes: RowNote[]): TaskRow {
  switch (task) {
    case TaskKind.CLASSIFICATION: {
      const label = requiredText(values, DataField.LABEL);
      return { task, text: requiredText(values, DataField.TEXT), label: mapping.labelValues[label] ?? label };
    }
    case TaskKind.EXTRACTION: {
      if (values.TOKENS === undefined) {
        const text = requiredText(values, DataField.TEXT);
        return { task, text, entities: buildEntities(text, values.ENTITIES, mapping, notes) };
      }
      const tokens = asWords(values.TOKENS) ?? fail('wrong-type', 'TOKENS is not a list of words.');
      const tags = (asWords(values.TAGS) ?? fail('wrong-type', 'TAGS is not a list of tags.')).map(
        (t) => mapping.labelValues[t] ?? t,
      );
      const read =
        fromBio(tokens, tags) ?? fail('wrong-type', 'TAGS are not as many as TOKENS, or none of O, B-x, I-x.');
      return { task, ...read };
    }
    case TaskKind.TRANSLATION:
      return {
        task,
        source: requiredText(values, DataField.SOURCE),
        target: requiredText(values, DataField.TARGET),
        sourceLanguage: asText(values.SOURCE_LANGUAGE) ?? 'und',
        targetLanguage: asText(values.TARGET_LANGUAGE) ?? 'und',
      };
    case TaskKind.QUESTION_ANSWERING: {
      const context = asText(values.CONTEXT);
      const { answer, spans } = buildAnswer(values, mapping);
      const question = requiredText(values, DataField.QUESTION);
      return { task, question, ...(context !== null && { context }), answer, ...(spans && { spans }) };
    }
    case TaskKind.INSTRUCTION:
      return { task, messages: buildMessages(values) };
  }
}

/** One record's values as a row of the task, or what is wrong with them. */
export function buildRow(task: TaskKind, values: Values, mapping: FileMapping): BuiltRow | { fault: RecordFault } {
  const notes: RowNote[] = [];
  try {
    return { row: build(task, values, mapping, notes), notes };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.fault };
    throw error;
  }
}
