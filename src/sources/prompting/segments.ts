import type { PromptSegment } from '../../worker-protocol/index.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** A call of a function that the program which asks can run. */
export interface ToolCall {
  name: string;
  /** A JSON text. */
  arguments: string;
}

/** What stands between a question and its answer: calls, and what they gave. */
export type StepMessage =
  { role: 'assistant'; content: string; calls: readonly ToolCall[] } | { role: 'tool'; content: string };

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
