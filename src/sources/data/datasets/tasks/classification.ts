import { z } from 'zod';
import { own } from '../../../../kernel/own.js';
import { record } from '../../../../kernel/record.js';
import { withFacts } from '../../../prompting/index.js';
import type { Columns } from '../files/columns.js';
import { TEXT_FIELD } from '../files/fields.js';
import { MESSAGES_FIELD, onlyTurn } from './conversation.js';
import { defineTask, TASK_DEFAULTS } from './task.js';
import { looksLikeJson, requiredText } from './values.js';

/** More labels than this are not listed in the prompt: an adapter knows them, and each costs tokens in every example. */
const LISTED_LABELS = 10;

export const classification = defineTask({
  ...TASK_DEFAULTS,
  description: 'A text gets one of some labels: sentiment, routing of messages.',
  schema: record('ClassificationContent', 'A text and its label.', {
    text: z.string().meta({ description: 'What is to be classified.' }),
    label: z.string().meta({ description: 'The right label.' }),
  }),

  fields: {
    TEXT: TEXT_FIELD,
    MESSAGES: MESSAGES_FIELD,
    LABEL: {
      description: 'Its label.',
      names: ['label', 'category', 'intent', 'class', 'sentiment', 'topic', 'tag', 'target', 'output'],
    },
  },
  needs: [['TEXT', 'LABEL'], ['MESSAGES']],
  confidence(columns) {
    // Surer than of texts to be written.
    if (answersRecur(columns)) return 0.96;
    return textAndLabel(columns) ? 0.3 : 0;
  },
  suggest(columns) {
    const messages = columns.find('MESSAGES');
    return { columns: messages ? { MESSAGES: messages } : (textAndLabel(columns) ?? columns.pick('TEXT')) };
  },
  build(values, mapping) {
    const turn = values.MESSAGES === undefined ? null : onlyTurn(values.MESSAGES);
    const label = turn?.answer ?? requiredText(values, 'LABEL');
    return { text: turn?.text ?? requiredText(values, 'TEXT'), label: own(mapping.labelValues, label) ?? label };
  },

  stored: { text: 'text', label: 'label' },
  inputText: (row) => row.text,
  outputText: (row) => row.label,
  texts: (row) => [['text', row.text]],
  edit: (row, edit) => ({ ...row, text: edit(row.text).text }),
  gap: (row) => (row.label.trim() === '' ? 'label is empty' : null),
  labels: (row) => [row.label],
  oneAnswer: true,

  ask: (text): { text: string } => ({ text }),
  prompt({ text }, { labels }, { facts }) {
    const listed = labels.listed(LISTED_LABELS);
    return [
      { role: 'system', content: listed === null ? 'Name the label of the text.' : `Is the text ${listed}?` },
      { role: 'user', content: withFacts(text, facts, 'Text') },
    ];
  },
  answer: (row, { labels }) => labels.say(row.label),
  read(text, _input, { labels }) {
    const label = labels.hear(text);
    return label === null ? null : { kind: 'LABEL', label };
  },
  right: (row) => ({ kind: 'LABEL', label: row.label }),

  training: { answer: 'LABEL_TOKEN', maxTokens: 256 },
  // A label is read off the first line: what a model adds to it costs time and counts for nothing.
  answering: { maxTokens: 32, stop: ['\n'] },
  measure: 'LABELS',
});

/** Fewer conversations than these don't tell. */
const FEWEST_CONVERSATIONS = 10;
/** UTF-16 units. */
const LONGEST_LABEL = 64;

/** Whether a column has conversations of one turn whose answers are few and short, as labels are. */
function answersRecur(columns: Columns<'TEXT' | 'LABEL' | 'MESSAGES'>): boolean {
  const column = columns.find('MESSAGES', [], looksLikeJson);
  const values = column === undefined ? [] : columns.values(column);
  const answers = values.map(answerOf);
  const areShort = answers.every(
    (answer) => answer !== null && answer.length <= LONGEST_LABEL && !answer.includes('\n'),
  );
  return values.length >= FEWEST_CONVERSATIONS && areShort && new Set(answers).size <= values.length / 2;
}

function answerOf(conversation: unknown): string | null {
  try {
    return onlyTurn(conversation).answer;
  } catch {
    return null;
  }
}

/** Text and label by name, or else the longest column and the one whose values recur most. */
function textAndLabel(columns: Columns<'TEXT' | 'LABEL' | 'MESSAGES'>): { TEXT: string; LABEL: string } | null {
  const textColumn = columns.find('TEXT');
  const label = columns.find('LABEL', textColumn ? [textColumn] : []);
  if (textColumn && label) return { TEXT: textColumn, LABEL: label };
  const stats = columns.names.map((name) => {
    const values = columns.values(name).map(String);
    return {
      name,
      length: values.reduce((sum, value) => sum + value.length, 0) / Math.max(1, values.length),
      distinct: new Set(values).size / Math.max(1, values.length),
    };
  });
  const text = textColumn ?? [...stats].sort((a, b) => b.length - a.length)[0]?.name;
  const rest = stats.filter(({ name }) => name !== text).sort((a, b) => a.distinct - b.distinct);
  const guessed = label ?? rest.find(({ distinct, length }) => distinct <= 0.5 && length < LONGEST_LABEL)?.name;
  return text !== undefined && guessed !== undefined && text !== guessed ? { TEXT: text, LABEL: guessed } : null;
}
