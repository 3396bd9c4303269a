/**
 * A piece of a prompt. Special tokens (`<|im_start|>` and the like) are recognised only where `special` is true; text of users
 * and documents is always `special: false`, so whatever they contain stays text.
 */
export interface PromptSegment {
  text: string;
  special: boolean;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Drops empty segments and joins neighbours of one kind: a tokenizer reads words best when it sees them whole. */
export function joinSegments(segments: readonly PromptSegment[]): PromptSegment[] {
  const joined: PromptSegment[] = [];
  for (const { text, special } of segments) {
    if (text === '') continue;
    const last = joined.at(-1);
    if (last?.special === special) last.text += text;
    else joined.push({ text, special });
  }
  return joined;
}

/** The prompt as one string, for digests and logs of tests; the model never gets it in this form. */
export const promptText = (segments: readonly PromptSegment[]): string => segments.map(({ text }) => text).join('');
