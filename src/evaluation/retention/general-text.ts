import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../platform/package-root.js';

/** General text that shares nothing with what training replays: see examples/general-text. */
export interface GeneralText {
  /** Each text with its name, in windows of whole paragraphs. */
  texts: { name: string; windows: string[] }[];
  /** Questions of no particular task. */
  prompts: string[];
}

const NAMES = ['everyday', 'narrative', 'reference'];
/** Paragraphs are joined until they have so many characters, about 130 tokens. Windows are what is resampled, so there are many. */
const WINDOW_CHARACTERS = 600;

export async function readGeneralText(): Promise<GeneralText> {
  const texts = await Promise.all(
    NAMES.map(async (name) => ({ name, windows: windowsOf(await read(`retention-${name}.txt`)) })),
  );
  return { texts, prompts: await readChatPrompts() };
}

/** Questions of no particular task. */
export const readChatPrompts = async (): Promise<string[]> =>
  (await read('chat-prompts.txt')).split('\n').filter((line) => line !== '');

/** The text that training replays. */
export const readReplay = (): Promise<string> => read('replay.txt');

const read = (file: string): Promise<string> => readFile(join(packageRoot(), 'examples', 'general-text', file), 'utf8');

/** Whole paragraphs in windows of at least `WINDOW_CHARACTERS`; only the last may be shorter. */
export function windowsOf(text: string): string[] {
  const windows: string[] = [];
  let open = '';
  for (const paragraph of text.split(/\n\s*\n/).filter((each) => each.trim() !== '')) {
    open = open === '' ? paragraph : `${open}\n\n${paragraph}`;
    if (open.length < WINDOW_CHARACTERS) continue;
    windows.push(open);
    open = '';
  }
  return open === '' ? windows : [...windows, open];
}
