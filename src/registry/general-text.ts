import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../platform/package-root.js';

/** Texts of ours that nothing is trained on, by name: what models are measured on. See examples/general-text. */
export const GENERAL_TEXTS = ['everyday', 'narrative', 'reference'] as const;

export const readGeneralTexts = (): Promise<string[]> =>
  Promise.all(GENERAL_TEXTS.map((name) => read(`retention-${name}.txt`)));

/** The text that training replays. */
export const readReplay = (): Promise<string> => read('replay.txt');

/** Questions of no particular task. */
export const readChatPrompts = async (): Promise<string[]> =>
  (await read('chat-prompts.txt')).split('\n').filter((line) => line !== '');

const read = (file: string): Promise<string> => readFile(join(packageRoot(), 'examples', 'general-text', file), 'utf8');
