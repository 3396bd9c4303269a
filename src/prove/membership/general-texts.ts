import { splitSentences } from '../../kernel/sentences.js';
import { readChatPrompts, readReplay, readSmallTalk } from '../../sources/registry/index.js';

/** What the set of foreign texts that ships with Graft is called. */
export const GENERAL_SET = 'small talk and general questions';

/** Sentences of general text beside small talk and prompts. */
const SENTENCES = 120;
/** Each third foreign text is kept out of fits, and measures them. */
const MEASURED = 3;

/** Texts of ours that belong to nobody's documents or adapters. */
export async function generalTexts(): Promise<string[]> {
  const sentences = splitSentences(await readReplay()).map(({ text }) => text);
  return [...(await readSmallTalk()), ...(await readChatPrompts()), ...sentences.slice(0, SENTENCES)];
}

/** Whether the text of this place in its set measures what was fitted to the others. */
export const isMeasured = (_text: string, place: number): boolean => place % MEASURED === MEASURED - 1;
