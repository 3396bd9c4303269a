import { Template } from '@huggingface/jinja';
import type { ChatMessage, PromptSegment } from '../../../src/sources/prompting/index.js';
import { joinSegments } from '../../../src/sources/prompting/index.js';

interface Tokens {
  bosToken: string;
  eosToken: string;
}

/**
 * What a prompt has to be, by the template itself: rendered for this one conversation with placeholders for its contents, and cut at
 * them. null where neither the conversation nor the one with its system message in the first user message can be rendered so.
 */
export function renderedWhole(
  template: string,
  messages: readonly ChatMessage[],
  tokens: Tokens,
): PromptSegment[] | null {
  const conversation = messages.map(({ role, content }) => ({ role, content: content.trim() }));
  const [system, user, ...rest] = conversation;
  const merged: ChatMessage[] | null =
    system?.role === 'system' && user?.role === 'user'
      ? [{ role: 'user', content: `${system.content}\n\n${user.content}` }, ...rest]
      : null;
  return rendered(template, conversation, tokens) ?? (merged && rendered(template, merged, tokens));
}

function rendered(template: string, messages: readonly ChatMessage[], tokens: Tokens): PromptSegment[] | null {
  const mark = '\uf123';
  const placeholders = messages.map((_, index) => `${mark}${index}${mark}`);
  let rest: string;
  try {
    rest = new Template(template).render({
      messages: messages.map(({ role }, index) => ({ role, content: placeholders[index] })),
      add_generation_prompt: true,
      bos_token: tokens.bosToken,
      eos_token: tokens.eosToken,
      tools: null,
      enable_thinking: false,
    });
  } catch {
    return null;
  }
  const segments: PromptSegment[] = [];
  for (const [index, placeholder] of placeholders.entries()) {
    const at = rest.indexOf(placeholder);
    if (at < 0 || rest.includes(placeholder, at + 1)) return null;
    segments.push({ text: rest.slice(0, at), special: true }, { text: messages[index]!.content, special: false });
    rest = rest.slice(at + placeholder.length);
  }
  return joinSegments([...segments, { text: rest, special: true }]);
}
