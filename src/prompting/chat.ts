import { Template } from '@huggingface/jinja';
import { GraftError } from '../kernel/errors.js';
import { joinSegments, type ChatMessage, type PromptSegment } from './segments.js';

export interface ChatTokens {
  bosToken: string;
  eosToken: string;
}

/**
 * A conversation as the model was trained to read it, ending where the assistant's next words begin.
 *
 * The GGUF's own Jinja template is rendered with a placeholder in place of each content, then cut at the placeholders: what the
 * template wrote is special, what stood for a content is not. A template therefore can't be talked into anything by a content,
 * because it never sees one. Contents are trimmed, as most templates do.
 *
 * Templates that refuse a system message (Gemma's) get it as the first lines of the first user message. A model without a
 * template gets plain labelled lines: see `plainChat`.
 *
 * @throws MODEL_UNSUPPORTED when the template can't be parsed or doesn't put every content into the prompt once
 */
export function renderChat(
  template: string | null,
  messages: readonly ChatMessage[],
  tokens: ChatTokens,
): PromptSegment[] {
  if (template === null || template.trim() === '') return plainChat(messages, tokens);
  const conversation = messages.map(({ role, content }) => ({ role, content: content.trim() }));
  const asIs = attempt(template, conversation, tokens);
  if (asIs.ok) return asIs.segments;
  const merged = withoutSystem(conversation);
  const second = merged === null ? asIs : attempt(template, merged, tokens);
  if (second.ok) return second.segments;
  throw new GraftError('MODEL_UNSUPPORTED', `The model’s chat template can’t be used: ${second.reason}.`, {
    hint: 'Choose another model, or a file of this one whose chat template is whole.',
  });
}

/** How the lines of each role begin for a model without a template. */
export const PLAIN_LABELS = { system: '', user: 'User: ', assistant: 'Assistant: ' } as const;

/**
 * The form for models without a chat template: one paragraph a message (`User: …`, `Assistant: …`, the system message without a
 * label), then an open `Assistant:`. No control tokens but the one that begins a text.
 */
export function plainChat(messages: readonly ChatMessage[], tokens: ChatTokens): PromptSegment[] {
  const lines = messages.map(({ role, content }) => `${PLAIN_LABELS[role]}${content.trim()}\n\n`);
  return joinSegments([
    { text: tokens.bosToken, special: true },
    { text: `${lines.join('')}${PLAIN_LABELS.assistant.trim()}`, special: false },
  ]);
}

type Attempt<T> = ({ ok: true } & T) | { ok: false; reason: string };

function attempt(
  template: string,
  messages: readonly ChatMessage[],
  tokens: ChatTokens,
): Attempt<{ segments: PromptSegment[] }> {
  const wrapping = wrappingOf(
    template,
    messages.map(({ role }) => role),
    tokens,
  );
  if (!wrapping.ok) return wrapping;
  const segments = wrapping.pieces.flatMap((text, index) => [
    { text, special: true },
    { text: messages[index]?.content ?? '', special: false },
  ]);
  return { ok: true, segments: joinSegments(segments) };
}

/** What the template writes before, between and after the contents. */
type Wrapping = Attempt<{ pieces: string[] }>;

const KEPT_WRAPPINGS = 64;
const wrappings = new Map<string, Wrapping>();

/** As the template sees no content, what it writes depends on the roles alone, if it doesn't look at the clock. */
function wrappingOf(template: string, roles: readonly ChatMessage['role'][], tokens: ChatTokens): Wrapping {
  const key = JSON.stringify([template, roles, tokens.bosToken, tokens.eosToken]);
  const known = wrappings.get(key);
  if (known) return known;
  const wrapping = render(template, roles, tokens);
  if (template.includes('strftime_now')) return wrapping;
  if (wrappings.size >= KEPT_WRAPPINGS) wrappings.clear();
  wrappings.set(key, wrapping);
  return wrapping;
}

function render(template: string, roles: readonly ChatMessage['role'][], tokens: ChatTokens): Wrapping {
  const mark = unusedMark(template);
  const placeholders = roles.map((_, index) => `${mark}${index}${mark}`);
  let rendered: string;
  try {
    rendered = new Template(template).render({
      messages: roles.map((role, index) => ({ role, content: placeholders[index] })),
      add_generation_prompt: true,
      bos_token: tokens.bosToken,
      eos_token: tokens.eosToken,
      tools: null,
      // Models that can think aloud (Qwen3) are asked for the answer alone.
      enable_thinking: false,
    });
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message.slice(0, 200) : 'it failed' };
  }
  const pieces: string[] = [];
  for (const [index, placeholder] of placeholders.entries()) {
    const at = rendered.indexOf(placeholder);
    if (at < 0 || rendered.indexOf(placeholder, at + 1) >= 0)
      return { ok: false, reason: `it does not show the ${roles[index]} message once, in order` };
    pieces.push(rendered.slice(0, at));
    rendered = rendered.slice(at + placeholder.length);
  }
  return { ok: true, pieces: [...pieces, rendered] };
}

/** The system message joined to the first user message; null when there is none to join. */
function withoutSystem(messages: readonly ChatMessage[]): ChatMessage[] | null {
  const [system, user, ...rest] = messages;
  if (system?.role !== 'system' || user?.role !== 'user') return null;
  return [{ role: 'user', content: `${system.content}\n\n${user.content}` }, ...rest];
}

/** A character of a private-use area, which no template trims, splits or changes the case of, and which this one doesn't hold. */
function unusedMark(template: string): string {
  for (let code = 0xe000; code < 0xf8ff; code += 1) {
    const mark = String.fromCharCode(code);
    if (!template.includes(mark)) return mark;
  }
  throw new GraftError('MODEL_UNSUPPORTED', 'The model’s chat template holds every private-use character.');
}
