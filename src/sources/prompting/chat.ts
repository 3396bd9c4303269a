import { GraftError } from '../../kernel/errors.js';
import type { ChatForm, PromptSegment } from '../../worker-protocol/index.js';
import { joinSegments, type ChatMessage } from './segments.js';
import { wordOf, wrappingOf } from './wrapping.js';

/**
 * A conversation as the model was trained to read it, ending where the assistant's next words begin.
 *
 * What the model's template writes around contents was learned when the model was registered, in a process of its own
 * (`gpu-worker/chat`), and is data here: what the template wrote is special, contents are not, and no content can talk it into
 * anything. Contents are trimmed, as most templates do.
 *
 * Templates that refuse a system message (Gemma's) get it as the first lines of the first user message. A model without a
 * template gets plain labelled lines: see `plainChat`.
 *
 * @throws MODEL_UNSUPPORTED when the template can't be used, or refuses such a conversation
 */
export function renderChat(form: ChatForm, messages: readonly ChatMessage[], now = new Date()): PromptSegment[] {
  const prompt = renderAccepted(form, messages, now);
  if (prompt) return prompt;
  throw unusable(`it has ${noFormFor(messages)}`);
}

/** The same; null for a conversation that the template refuses. @throws MODEL_UNSUPPORTED when the template can't be used at all */
export function renderAccepted(
  form: ChatForm,
  messages: readonly ChatMessage[],
  now = new Date(),
): PromptSegment[] | null {
  if (form.kind === 'plain') return plainChat(messages, form.bosToken);
  if (form.kind === 'unusable') throw unusable(form.reason);
  const conversation = messages.map(({ role, content }) => ({ role, content: content.trim() }));
  for (const variant of [conversation, withoutSystem(conversation)]) {
    const pieces = variant && wrappingOf(form, wordOf(variant.map(({ role }) => role)), now);
    if (pieces) return wrapped(pieces, variant);
  }
  return null;
}

/** What there is to say of a conversation that a template refuses. */
export const noFormFor = (messages: readonly { role: string }[]): string =>
  messages.length === 0
    ? 'no form for a conversation without a message'
    : `no form for a conversation of ${rolesOf(messages)}`;

const unusable = (reason: string): GraftError =>
  new GraftError('MODEL_UNSUPPORTED', `The model’s chat template can’t be used: ${reason}.`, {
    hint: 'Choose another model, or a file of this one whose chat template is whole.',
  });

const wrapped = (pieces: readonly string[], messages: readonly ChatMessage[]): PromptSegment[] =>
  joinSegments(
    pieces.flatMap((text, index) => [
      { text, special: true },
      { text: messages[index]?.content ?? '', special: false },
    ]),
  );

const MOST_ROLES = 6;
const rolesOf = (messages: readonly { role: string }[]): string =>
  messages
    .slice(0, MOST_ROLES)
    .map(({ role }) => role)
    .join(', ') + (messages.length > MOST_ROLES ? ` and ${messages.length - MOST_ROLES} more` : '');

/** How the lines of each role begin for a model without a template. */
const PLAIN_LABELS = { system: '', user: 'User: ', assistant: 'Assistant: ' } as const;

/**
 * The form for models without a chat template: one paragraph a message (`User: …`, `Assistant: …`, the system message without a
 * label), then an open `Assistant:`. No control tokens but the one that begins a text.
 */
export function plainChat(messages: readonly ChatMessage[], bosToken: string): PromptSegment[] {
  const lines = messages.map(({ role, content }) => `${PLAIN_LABELS[role]}${content.trim()}\n\n`);
  return joinSegments([
    { text: bosToken, special: true },
    { text: `${lines.join('')}${PLAIN_LABELS.assistant.trim()}`, special: false },
  ]);
}

/** The system message joined to the first user message; null when there is none to join. */
export function withoutSystem<M extends { role: string; content: string }>(
  messages: readonly M[],
): (M | ChatMessage)[] | null {
  const [system, user, ...rest] = messages;
  if (system?.role !== 'system' || user?.role !== 'user') return null;
  return [{ role: 'user', content: `${system.content}\n\n${user.content}` }, ...rest];
}
