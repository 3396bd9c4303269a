import type { ChatMessage } from '../../../prompting/index.js';
import type { FieldDefinition } from '../files/fields.js';
import { asJson, asText, fail, isRecord } from './values.js';

export const MESSAGES_FIELD: FieldDefinition = {
  description: 'A conversation as JSON: messages with role and content.',
  names: ['messages', 'conversations', 'conversation', 'dialog'],
};

/** Names that public sets give to the three roles. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
};

/**
 * Up to the last message of the assistant that is to be learned: a `weight` of 0, as OpenAI's rows have it, says that one isn't.
 * @throws RowFault
 */
export function readMessages(value: unknown): (ChatMessage & { weight?: number })[] {
  const list = asJson(value);
  if (!Array.isArray(list) || list.length === 0) return fail('wrong-type', 'MESSAGES is not a list of messages.');
  const messages = list.map(readMessage);
  if (!messages.some(({ weight }) => weight === 0)) return messages;
  const last = messages.findLastIndex(({ role, weight }) => role === 'assistant' && weight !== 0);
  if (last < 0) return fail('wrong-type', 'No message of the assistant has a weight other than 0.');
  return messages.slice(0, last + 1);
}

function readMessage(item: unknown): ChatMessage & { weight?: number } {
  const entry = isRecord(item) ? item : fail('wrong-type', 'A message is not an object.');
  const role = ROLES[String(entry['role'] ?? entry['from']).toLowerCase()];
  const content = asText(entry['content'] ?? entry['value']);
  if (!role || content === null)
    return fail('wrong-type', 'A message needs a role (system, user, assistant) and a text.');
  return { role, content, ...(role === 'assistant' && entry['weight'] === 0 && { weight: 0 }) };
}

/**
 * What a user says and what it is answered, where a conversation is that alone; a system message may stand before it.
 * @throws RowFault
 */
export function onlyTurn(value: unknown): { text: string; answer: string } {
  const [question, answer, ...others] = readMessages(value).filter(({ role }) => role !== 'system');
  if (question?.role !== 'user' || answer?.role !== 'assistant' || others.length > 0)
    return fail('wrong-type', 'MESSAGES is not one message of the user with one answer.');
  return { text: question.content, answer: answer.content.trim() };
}
