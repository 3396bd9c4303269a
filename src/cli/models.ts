import type { Command } from 'commander';
import {
  ModelRecommendationsDocument,
  ModelsDocument,
  type ModelRecommendationsQuery,
} from '../client/operations/index.js';
import { printJson, say } from '../platform/terminal.js';
import type { WithClient } from './keys.js';

type Recommendations = ModelRecommendationsQuery['modelRecommendations'];
type Recommended = Recommendations['models'][number];
type Fit = Recommended['fit'];

const gigabytes = (bytes: number | string): string => `${(Number(bytes) / 1e9).toFixed(1)} GB`;
/** Two digits: a guess says no more. */
const duration = (seconds: number): string =>
  seconds < 1 ? '< 1 s' : `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;

const SAYS: Readonly<Record<Fit, string>> = {
  RECOMMENDED: 'recommended',
  FAST_ENOUGH: 'fast enough, too',
  QUOTES_ONLY: 'fast enough, but has no reader to quote with and is too small to word answers',
  TOO_SLOW: 'too slow',
  TOO_LARGE: 'takes more than half of the memory',
};

/** The rows of a table, each column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

const WORDS_FROM = 1e9;
const USEFUL = 'has a reader or a billion weights';

/** Models that only quote, and have no reader for it, come last, though they may be larger or faster than the one that is recommended. */
function whyRecommended({ model, reader, seconds }: Recommended, targetSeconds: number): string {
  const inTime = seconds <= targetSeconds;
  if (reader || Number(model.parameters) >= WORDS_FROM)
    return inTime
      ? `The largest within ${targetSeconds} s that ${USEFUL}`
      : `None that ${USEFUL} answers within ${targetSeconds} s; the fastest of them`;
  const ofOthers = inTime
    ? `The largest within ${targetSeconds} s of the others`
    : `The fastest of the others, which takes longer than ${targetSeconds} s`;
  return `Memory can’t hold one that ${USEFUL}. ${ofOthers}`;
}

/** What people read of it. */
export function recommendationLines({ models, ...summary }: Recommendations): string[] {
  const rows = models.map(({ model, here, seconds, measuredOn, fit }) => [
    model.name,
    here ? 'here' : `to fetch, ${gigabytes(model.bytes)}`,
    gigabytes(model.memoryBytes),
    `${measuredOn === model.name ? '' : '~ '}${duration(seconds)}`,
    SAYS[fit],
  ]);
  const best = models.find(({ fit }) => fit === 'RECOMMENDED');
  return [
    ...table([['model', 'file', 'memory', 'answer', ''], ...rows]),
    '',
    `An answer reads ${summary.readTokens} tokens and writes ${summary.writtenTokens}; ~ is guessed from a model that was measured. ${gigabytes(summary.memoryBytes)} of memory.`,
    ...(summary.quiet
      ? []
      : ['Other programs were busy while it was measured: an idle machine may be faster than this.']),
    ...(best === undefined
      ? ['Memory can’t hold any of them beside the rest.']
      : [`${whyRecommended(best, summary.answerSeconds)}: GRAFT_MODEL=${best.model.name}, or GRAFT_MODEL=auto.`]),
  ];
}

export function addModelCommands(program: Command, withClient: WithClient): void {
  const models = program
    .command('models')
    .description('the registered models')
    .action(() =>
      withClient(async (client, { json }) => {
        const { models } = await client.request(ModelsDocument, {});
        if (json) return printJson(models.edges.map(({ node }) => node));
        for (const { node } of models.edges)
          say(
            `${node.name}  ${node.variants.map(({ quantization }) => quantization).join(', ')}  ${node.licence ?? ''}`,
          );
      }),
    );
  models
    .command('recommend')
    .description('which models of the catalogue this machine is fast enough for, as GRAFT_MODEL=auto chooses')
    .action(() =>
      withClient(async (client, { json }) => {
        const { modelRecommendations } = await client.request(ModelRecommendationsDocument, {});
        if (json) return printJson(modelRecommendations);
        for (const line of recommendationLines(modelRecommendations)) say(line);
      }),
    );
}
