import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { splitSentences } from '../../src/kernel/sentences.js';
import { oneLine } from '../../src/sources/prompting/index.js';

const FOLDER = '../shared/datasets';

/** Rajpurkar et al. 2016, 2018. */
const squad = z.object({
  data: z.array(
    z.object({
      title: z.string().optional(),
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(
            z.object({
              question: z.string(),
              answers: z.array(z.object({ text: z.string(), answer_start: z.number().int() })),
              is_impossible: z.boolean().optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface SquadQuestion {
  text: string;
  /** Right answers, the most frequent first; empty where the paragraph has none. */
  answers: string[];
  /** The sentence of the paragraph in which the first stands. */
  sentence?: string | undefined;
}

export interface SquadParagraph {
  text: string;
  questions: SquadQuestion[];
}

export interface SquadArticle {
  title: string;
  paragraphs: SquadParagraph[];
}

/** Articles that no reader of this repository learns from: a quarter of XQuAD's 48, drawn once. */
export const HELD_OUT: ReadonlySet<string> = new Set([
  'Packet_switching',
  'Immune_system',
  'Ctenophora',
  'Normans',
  'Sky_(United_Kingdom)',
  'Prime_number',
  'Force',
  'Scottish_Parliament',
  'Kenya',
  'Black_Death',
  'Rhine',
  'Imperialism',
]);

export type SquadFile = 'xquad.en' | 'xquad.es' | 'squad2-part' | 'covidqa-part';

/** The articles of a file in SQuAD's form; null where the data sets are not on this machine. */
export function readSquad(name: SquadFile): SquadArticle[] | null {
  const path = `${FOLDER}/${name}.json`;
  if (!existsSync(path)) return null;
  return squad.parse(JSON.parse(readFileSync(path, 'utf8'))).data.map(({ title, paragraphs }, index) => ({
    title: title ?? `${name} ${index + 1}`,
    paragraphs: paragraphs.map(({ context, qas }) => ({
      text: context,
      questions: qas.map(({ question, answers: all, is_impossible }) => {
        const answers = is_impossible === true ? [] : byFrequency(all.map(({ text }) => oneLine(text)));
        const start = all.find(({ text }) => oneLine(text) === answers[0])?.answer_start;
        return { text: oneLine(question), answers, sentence: sentenceAt(context, start) };
      }),
    })),
  }));
}

const sentenceAt = (text: string, at: number | undefined): string | undefined =>
  at === undefined ? undefined : splitSentences(text).find(({ start, end }) => start <= at && at < end)?.text;

function byFrequency(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([text]) => text);
}
