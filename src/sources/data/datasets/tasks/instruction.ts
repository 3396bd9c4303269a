import { z } from 'zod';
import { record } from '../../../../kernel/record.js';
import { withFacts, type ChatMessage } from '../../../prompting/index.js';
import { MESSAGES_FIELD, readMessages } from './conversation.js';
import { defineTask, TASK_DEFAULTS } from './task.js';
import { asText, looksLikeJson, requiredText } from './values.js';

const message = record('ChatMessage', 'One message of a conversation.', {
  role: z.enum(['system', 'user', 'assistant']).meta({ description: '`system`, `user` or `assistant`.' }),
  content: z.string().meta({ description: 'Its text.' }),
  weight: z.int().min(0).max(1).nullish().describe('0 for an answer of the assistant that isn’t learned.'),
});

export const instruction = defineTask({
  ...TASK_DEFAULTS,
  description: 'A conversation is continued.',
  schema: record('InstructionContent', 'A conversation.', {
    messages: z.array(message).min(1).meta({ description: 'Its messages, in order.' }),
  }),

  fields: {
    MESSAGES: MESSAGES_FIELD,
    SYSTEM: { description: 'The system message of a conversation.', names: ['system', 'system_prompt'] },
    PROMPT: { description: 'What the user says.', names: ['prompt', 'instruction', 'question', 'input'] },
    INPUT: {
      description: 'What an instruction is about: it stands below PROMPT, parted by a blank line, unless it is blank.',
      names: ['input', 'context'],
    },
    RESPONSE: {
      description: 'What the assistant should say.',
      names: ['response', 'completion', 'output', 'answer', 'chosen'],
    },
  },
  needs: [['MESSAGES'], ['PROMPT', 'RESPONSE']],
  confidence(columns) {
    if (columns.find('MESSAGES', [], looksLikeJson)) return 0.95;
    const response = columns.find('PROMPT') && columns.find('RESPONSE');
    if (!response) return 0;
    // Surer than of a translation, which has `input` and `output` too.
    if (columns.find('PROMPT', [], (_, column) => /^\s*instruction\s*$/iu.test(column))) return 0.65;
    // Answers that recur are labels.
    const values = columns.values(response);
    return new Set(values.map(String)).size > values.length / 2 ? 0.5 : 0;
  },
  suggest(columns) {
    const messages = columns.find('MESSAGES');
    return { columns: messages ? { MESSAGES: messages } : columns.pick('SYSTEM', 'PROMPT', 'INPUT', 'RESPONSE') };
  },
  build(values) {
    if (values.MESSAGES !== undefined) return { messages: readMessages(values.MESSAGES) };
    const system = asText(values.SYSTEM);
    const messages: ChatMessage[] = [
      { role: 'user', content: asked(requiredText(values, 'PROMPT'), asText(values.INPUT)) },
      { role: 'assistant', content: requiredText(values, 'RESPONSE') },
    ];
    if (system) messages.unshift({ role: 'system', content: system });
    return { messages };
  },

  stored: {},
  inputText: (row) =>
    row.messages
      .filter((m) => m.role !== 'assistant')
      .map((m) => m.content)
      .join('\n'),
  outputText: (row) => lastAnswer(row.messages),
  texts: (row) => row.messages.map((m, i) => [`messages.${i}`, m.content]),
  edit: (row, edit) => ({ messages: row.messages.map((m) => ({ ...m, content: edit(m.content).text })) }),
  gap: (row) => (row.messages.some((m) => m.role === 'assistant') ? null : 'no message of the assistant'),

  ask: (text): { messages: ChatMessage[] } => ({ messages: [{ role: 'user', content: text }] }),
  /** Everything before the last message of the assistant; what follows it is not learned. */
  prompt({ messages }, _context, { facts }) {
    const last = messages.findLastIndex((m) => m.role === 'assistant');
    const history = last < 0 ? messages : messages.slice(0, last);
    const questionIndex = history.findLastIndex((m) => m.role === 'user');
    return history.map(({ role, content }, i) => ({
      role,
      content: i === questionIndex ? withFacts(content, facts) : content,
    }));
  },
  earlier({ messages }) {
    const last = messages.findLastIndex((m) => m.role === 'assistant');
    let length = 0;
    return messages
      .flatMap(({ role, content, weight }, i) => {
        length += content.length;
        // An answer to nothing, as a greeting is, has no prompt.
        const isAnswer = role === 'assistant' && messages[i - 1]?.role === 'user';
        const isLearned = isAnswer && weight !== 0 && content.trim() !== '';
        return isLearned && i < last && length <= LONGEST_EARLIER ? [{ messages: messages.slice(0, i + 1) }] : [];
      })
      .slice(0, MOST_EARLIER);
  },
  answer: (row) => lastAnswer(row.messages),
  read: (text) => (text.trim() === '' ? null : { kind: 'TEXT', text: text.trim(), refused: false }),
  right: (row) => ({ kind: 'TEXT', text: lastAnswer(row.messages), refused: false }),

  training: { answer: 'TEXT', maxTokens: 768 },
  answering: { maxTokens: 256, stop: [] },
  measure: 'WORDS',
});

/** Each earlier answer is read with all that is before it: a row of thousands of turns must not become thousands of rows. */
const MOST_EARLIER = 32;
/** UTF-16 units up to an earlier answer: more is longer than any recipe takes. */
const LONGEST_EARLIER = 40_000;

const asked = (prompt: string, topic: string | null): string =>
  topic === null || topic.trim() === '' ? prompt : `${prompt}\n\n${topic}`;

const lastAnswer = (messages: readonly ChatMessage[]): string =>
  messages.findLast((m) => m.role === 'assistant')?.content ?? '';
