import { z } from 'zod';
import { record } from '../../../../kernel/record.js';
import { splitSentences } from '../../../../kernel/sentences.js';
import { withFacts } from '../../../prompting/index.js';
import { DataFormat } from '../files/formats.js';
import { defineTask, TASK_DEFAULTS } from './task.js';
import { asText, requiredText } from './values.js';

const UNDETERMINED = 'und';
/** `en`, or `translation.en` where a set nests both sides. */
const LANGUAGE_COLUMN = /^(?:translation\.)?([a-z]{2})$/;

const ENGLISH_NAMES = new Intl.DisplayNames('en', { type: 'language' });
const languageName = (code: string): string | null => (code === UNDETERMINED ? null : (ENGLISH_NAMES.of(code) ?? null));

/** Languages that put no space between sentences. */
const UNSPACED = new Set(['zh', 'ja', 'th', 'lo', 'km', 'my']);
/** A longer text is translated in pieces of several sentences: each piece is a prompt of its own. */
const MOST_PIECES = 64;
/** A line that was only wrapped: nothing ends before the break, and a small letter goes on behind it. */
const ENDS = /[.?!:;…。！？]["'”’»)\]]*$/u;
const WRAPPED = /^[^\S\n]*\n[^\S\n]*$/u;

/** The sentences of a text, in UTF-16 offsets; what stands before the first and behind the last goes with them. */
function piecesOf(text: string): { from: number; to: number }[] {
  const sentences: { from: number; to: number }[] = [];
  for (const { start, end } of splitSentences(text)) {
    const last = sentences.at(-1);
    if (last && WRAPPED.test(text.slice(last.to, start)) && goesOn(text.slice(last.from, last.to), text.slice(start)))
      last.to = end;
    else sentences.push({ from: start, to: end });
  }
  const pieceSize = Math.ceil(sentences.length / MOST_PIECES);
  const count = Math.max(1, Math.ceil(sentences.length / Math.max(1, pieceSize)));
  return Array.from({ length: count }, (_, i) => ({
    from: i === 0 ? 0 : sentences[i * pieceSize]!.from,
    to: i === count - 1 ? text.length : sentences[(i + 1) * pieceSize - 1]!.to,
  }));
}

const goesOn = (line: string, next: string): boolean => !ENDS.test(line) && /^\p{Ll}/u.test(next);

export const translation = defineTask({
  ...TASK_DEFAULTS,
  description: 'A text is put into another language.',
  schema: record('TranslationContent', 'A text and its translation.', {
    source: z.string().meta({ description: 'The text.' }),
    target: z.string().meta({ description: 'A right translation.' }),
    sourceLanguage: z.string().meta({ description: 'Language of the text; `und` when the file does not say.' }),
    targetLanguage: z.string().meta({ description: 'Language of the translation; `und` when the file does not say.' }),
  }),

  fields: {
    SOURCE: {
      description: 'Text to translate.',
      names: ['source', 'src', 'source_text', 'en', 'translation.en', 'english', 'input'],
    },
    TARGET: {
      description: 'Its translation.',
      names: [
        'target',
        'tgt',
        'target_text',
        'es',
        'translation.es',
        'spanish',
        'de',
        'fr',
        'it',
        'pt',
        'translation.de',
        'translation.fr',
        'output',
      ],
    },
    SOURCE_LANGUAGE: { description: 'Language of the text.', names: ['source_language', 'source_lang', 'src_lang'] },
    TARGET_LANGUAGE: {
      description: 'Language of the translation.',
      names: ['target_language', 'target_lang', 'tgt_lang'],
    },
  },
  needs: [['SOURCE', 'TARGET']],
  confidence: (columns) =>
    columns.names.filter((name) => LANGUAGE_COLUMN.test(name)).length === 2 ||
    (columns.find('SOURCE') && columns.find('TARGET'))
      ? 0.6
      : 0,
  suggest(columns) {
    // The other language comes from a second file, read the same way.
    if (columns.format === DataFormat.SQUAD) return { columns: { SOURCE: 'text', TARGET: 'text' } };
    const [from, to] = columns.names.filter((name) => LANGUAGE_COLUMN.test(name));
    if (!from || !to) return { columns: columns.pick('SOURCE', 'TARGET', 'SOURCE_LANGUAGE', 'TARGET_LANGUAGE') };
    return {
      columns: { SOURCE: from, TARGET: to },
      constants: {
        SOURCE_LANGUAGE: LANGUAGE_COLUMN.exec(from)![1]!,
        TARGET_LANGUAGE: LANGUAGE_COLUMN.exec(to)![1]!,
      },
    };
  },
  build: (values) => ({
    source: requiredText(values, 'SOURCE'),
    target: requiredText(values, 'TARGET'),
    sourceLanguage: asText(values.SOURCE_LANGUAGE) ?? UNDETERMINED,
    targetLanguage: asText(values.TARGET_LANGUAGE) ?? UNDETERMINED,
  }),

  stored: { text: 'source' },
  inputText: (row) => row.source,
  scope: (row) => `${row.sourceLanguage}>${row.targetLanguage}`,
  outputText: (row) => row.target,
  texts: (row) => [
    ['source', row.source],
    ['target', row.target],
  ],
  edit: (row, edit) => ({ ...row, source: edit(row.source).text, target: edit(row.target).text }),
  twoLanguages: true,
  languages: (row) => ({
    source: { text: row.source, language: row.sourceLanguage },
    target: { text: row.target, language: row.targetLanguage },
  }),

  ask: (text, { languages }): { source: string; sourceLanguage: string; targetLanguage: string } => ({
    source: text,
    sourceLanguage: languages?.source ?? UNDETERMINED,
    targetLanguage: languages?.target ?? UNDETERMINED,
  }),
  // A small model loses itself in a paragraph that it would translate well sentence by sentence.
  pieces(input) {
    const text = input.source;
    const spaced = !UNSPACED.has(input.targetLanguage);
    return piecesOf(text).map(({ from, to }, i, pieces) => {
      const gap = text.slice(pieces[i - 1]?.to ?? 0, from);
      return { gap: gap === '' && i > 0 && spaced ? ' ' : gap, input: { ...input, source: text.slice(from, to) } };
    });
  },
  prompt({ source, sourceLanguage, targetLanguage }, _context, { facts }) {
    const [from, to] = [languageName(sourceLanguage), languageName(targetLanguage)];
    const request = `Translate the text${from ? ` from ${from}` : ''}${to ? ` into ${to}` : ''}.`;
    return [
      { role: 'system', content: request },
      { role: 'user', content: withFacts(source, facts, 'Text') },
    ];
  },
  answer: (row) => row.target,
  read: (text) => (text.trim() === '' ? null : { kind: 'TEXT', text: text.trim(), refused: false }),
  right: (row) => ({ kind: 'TEXT', text: row.target, refused: false }),

  training: { answer: 'TEXT', maxTokens: 384 },
  answering: { maxTokens: 256, stop: [] },
  measure: 'TRANSLATIONS',
});
