import { z } from 'zod';
import { record } from '../../../../kernel/record.js';
import { groupBy } from '../../../../kernel/group-by.js';
import { canonicalJson } from '../../../../kernel/hashing.js';
import { own } from '../../../../kernel/own.js';
import { withFacts } from '../../../prompting/index.js';
import type { MappingOnto } from '../files/file-mapping.js';
import { codePointOffsets, fromBio, locateMentions } from './entity-forms.js';
import { markEntities, marksOf, readMarks } from './entity-marks.js';
import { TEXT_FIELD } from '../files/fields.js';
import { defineTask, entitySchema, TASK_DEFAULTS, type Entity, type Note } from './task.js';
import { asJson, asText, asWords, fail, isRecord, looksLikeJson, requiredText } from './values.js';

/** More types than this are not listed in the prompt. */
const LISTED_TYPES = 20;

export const extraction = defineTask({
  ...TASK_DEFAULTS,
  description: 'Stretches of a text get a type: named entities.',
  schema: record('ExtractionContent', 'A text and its entities.', {
    text: z.string().meta({ description: 'What entities are looked for in.' }),
    entities: z.array(entitySchema).meta({ description: 'The right entities, in order.' }),
  }),

  fields: {
    TEXT: TEXT_FIELD,
    ENTITIES: {
      description: 'Entities as JSON: with offsets, as mentions with a type, or mentions listed by type.',
      names: ['entities', 'spans', 'annotations', 'ner', 'labels', 'output', 'label'],
    },
    TOKENS: { description: 'Words of the text: a list, or separated by blanks.', names: ['tokens', 'words'] },
    TAGS: { description: 'BIO tags of the words.', names: ['tags', 'ner_tags', 'bio', 'labels'] },
  },
  needs: [
    ['TEXT', 'ENTITIES'],
    ['TOKENS', 'TAGS'],
  ],
  confidence: (columns) =>
    (columns.find('TOKENS') && columns.find('TAGS')) ||
    (columns.find('TEXT') && columns.find('ENTITIES', [], looksLikeJson))
      ? 0.8
      : 0,
  suggest(columns) {
    const text = columns.find('TEXT');
    const entities = columns.find('ENTITIES', text ? [text] : [], looksLikeJson);
    return { columns: text && entities ? { TEXT: text, ENTITIES: entities } : columns.pick('TOKENS', 'TAGS') };
  },
  build(values, mapping, note) {
    if (values.TOKENS === undefined) {
      const text = requiredText(values, 'TEXT');
      return { text, entities: buildEntities(text, values.ENTITIES, mapping, note) };
    }
    const tokens = asWords(values.TOKENS) ?? fail('wrong-type', 'TOKENS is not a list of words.');
    const tags = asWords(values.TAGS) ?? fail('wrong-type', 'TAGS is not a list of tags.');
    const labels = tags.map((tag) => own(mapping.labelValues, tag) ?? tag);
    return fromBio(tokens, labels) ?? fail('wrong-type', 'TAGS are not as many as TOKENS, or none of O, B-x, I-x.');
  },

  stored: { text: 'text' },
  inputText: (row) => row.text,
  outputText: (row) =>
    canonicalJson([...row.entities].sort((a, b) => a.start - b.start || a.end - b.end || (a.type < b.type ? -1 : 1))),
  texts: (row) => [['text', row.text]],
  edit(row, edit) {
    const text = edit(row.text);
    return { text: text.text, entities: row.entities.map((entity) => text.moveSpan(entity)) };
  },
  spans: (row) => ({ text: row.text, spans: row.entities, exclusive: true }),
  labels: (row) => row.entities.map((entity) => entity.type),
  typesPath: '$.entities[*].type',
  oneAnswer: true,

  ask: (text): { text: string } => ({ text }),
  prompt({ text }, { labels }, { facts }) {
    const types = labels.listed(LISTED_TYPES) ?? 'name';
    return [
      { role: 'system', content: `Copy the text and mark each ${types} in it, like this: [words|type].` },
      { role: 'user', content: withFacts(text, facts, 'Text') },
    ];
  },
  answer: (row, { labels }) => markEntities(row, labels),
  heldTo({ text }, { labels }) {
    const mark = marksOf(text, labels);
    return mark && { mark };
  },
  read: (text, input, { labels }) => ({ kind: 'ENTITIES', entities: readMarks(text, input.text, labels) }),
  right: (row) => ({ kind: 'ENTITIES', entities: row.entities }),

  training: { answer: 'TEXT', maxTokens: 384 },
  // More than any right answer needs: a marked copy ends by itself.
  answering: { maxTokens: 1_024, stop: [] },
  measure: 'ENTITIES',
});

const triple = ([start, end, type]: unknown[]) => ({ start, end, type });

/** Entities in any of the forms that public sets use: with offsets, as mentions with a type, or mentions listed by type. */
function buildEntities(text: string, value: unknown, mapping: MappingOnto, note: Note): Entity[] {
  const form = asJson(value);
  if (
    isRecord(form) &&
    Object.values(form).every((list) => Array.isArray(list) && list.every((m) => typeof m === 'string'))
  )
    return located(text, form as Record<string, string[]>, note);
  if (!Array.isArray(form))
    return fail(
      'wrong-type',
      'ENTITIES has none of the known forms: a JSON list of entities, or lists of mentions by type.',
    );
  const items = form.map((item: unknown) => {
    const entity: unknown = Array.isArray(item) ? triple(item) : item;
    if (!isRecord(entity)) return fail('wrong-type', 'ENTITIES is a list of something else than entities.');
    const type = asText(entity['type'] ?? entity['label'] ?? entity['entity_group']);
    if (type === null) return fail('wrong-type', 'An entity has no type.');
    return { type, start: entity['start'], end: entity['end'], text: asText(entity['text'] ?? entity['word']) };
  });
  if (items.every((item) => Number.isInteger(item.start))) {
    const toUtf16 = mapping.offsets === 'CODE_POINTS' ? codePointOffsets(text) : (offset: number) => offset;
    return items.map((item) => {
      const start = toUtf16(item.start as number);
      const end = Number.isInteger(item.end) ? toUtf16(item.end as number) : start + (item.text?.length ?? 0);
      return { type: item.type, start, end, text: item.text ?? text.slice(start, end) };
    });
  }
  const mentionOf = ({ text: mention }: (typeof items)[number]): string =>
    mention || fail('wrong-type', 'An entity has no text, and not all of them have whole numbers as offsets.');
  const byType = [...groupBy(items, ({ type }) => type)].map(([type, group]) => [type, group.map(mentionOf)] as const);
  return located(text, Object.fromEntries(byType), note);
}

function located(text: string, byType: Record<string, string[]>, note: Note): Entity[] {
  const { entities, ambiguous, missing } = locateMentions(text, byType);
  if (missing.length > 0) note('entity-not-found', missing.join(' | '));
  if (ambiguous.length > 0) note('entity-ambiguous', ambiguous.join(' | '));
  return entities;
}
