import { GENERAL_TEXTS, readChatPrompts, readGeneralTexts } from '../../sources/registry/index.js';

/** General text that shares nothing with what training replays: see examples/general-text. */
export interface GeneralText {
  /** Each text with its name, in windows of whole paragraphs. */
  texts: { name: string; windows: string[] }[];
  /** Questions of no particular task. */
  prompts: string[];
}

/** Paragraphs are joined until they have so many characters, about 130 tokens. Windows are what is resampled, so there are many. */
const WINDOW_CHARACTERS = 600;

export async function readGeneralText(): Promise<GeneralText> {
  const texts = await readGeneralTexts();
  return {
    texts: GENERAL_TEXTS.map((name, i) => ({ name, windows: windowsOf(texts[i]!) })),
    prompts: await readChatPrompts(),
  };
}

/** Whole paragraphs in windows of at least `WINDOW_CHARACTERS`; only the last may be shorter. */
export function windowsOf(text: string): string[] {
  const windows: string[] = [];
  let open = '';
  for (const paragraph of text.split(/\n\s*\n/).filter((part) => part.trim() !== '')) {
    open = open === '' ? paragraph : `${open}\n\n${paragraph}`;
    if (open.length < WINDOW_CHARACTERS) continue;
    windows.push(open);
    open = '';
  }
  return open === '' ? windows : [...windows, open];
}
