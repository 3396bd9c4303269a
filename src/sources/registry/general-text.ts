import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../platform/package-root.js';

/** Texts of ours that nothing is trained on, by name: what models are measured on. See examples/general-text. */
export const GENERAL_TEXTS = ['everyday', 'narrative', 'reference'] as const;

export const readGeneralTexts = (): Promise<string[]> =>
  Promise.all(GENERAL_TEXTS.map((name) => read(`retention-${name}.txt`)));

/** The text that training replays. */
export const readReplay = (): Promise<string> => read('replay.txt');

/** Questions of no particular task. */
export const readChatPrompts = (): Promise<string[]> => linesOf('chat-prompts.txt');

/** What people write that belongs to nobody's documents or adapters: everyday requests, greetings, questions of general knowledge. */
export const readSmallTalk = (): Promise<string[]> => linesOf('small-talk.txt');

const linesOf = async (file: string): Promise<string[]> => (await read(file)).split('\n').filter((line) => line !== '');

const read = (file: string): Promise<string> => readFile(join(packageRoot(), 'examples', 'general-text', file), 'utf8');
