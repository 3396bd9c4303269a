/** An engine's log-probabilities of labels, held against those of the worker for the same weights. */
import { compareChanges, TOLERANCE } from '../../../src/prove/index.js';
import { vllm } from '../../../src/ship/fleet/dialects/vllm.js';
import { LabelScoring } from '../../../src/ship/fleet/engine.js';
import { EngineHttp } from '../../../src/ship/fleet/engine-http.js';
import { centred, compareBases, SAME_BASE } from '../../../src/ship/fleet/proof/compare-bases.js';
import { softmax } from '../../../src/kernel/softmax.js';

export const WAYS = [LabelScoring.LOGPROB_TOKEN_IDS, LabelScoring.ALLOWED_TOKEN_IDS] as const;

/** Rows of log-probabilities: one a prompt, each of the same labels. */
type Rows = readonly (readonly number[])[];

/** A vLLM with one adapter loaded, asked in each of the ways in which it tells probabilities. */
export async function vllmWith(url: string, adapter: { name: string; path: string }, signal: AbortSignal) {
  const http = new EngineHttp(url);
  const { base, version } = (await vllm.probe(http, signal))!;
  await vllm.load(http, adapter, signal);
  return {
    version,
    /** @param on whether the adapter acts */
    async scores(on: boolean, way: LabelScoring, prompts: Rows, candidates: readonly number[]): Promise<number[][]> {
      const rows: number[][] = [];
      for (const tokens of prompts) {
        const asked = { base, adapter: on ? adapter.name : null, tokens, candidates };
        rows.push(await vllm.score(http, asked, way, signal));
      }
      return rows;
    },
    unload: () => vllm.unload(http, adapter.name, signal).catch(() => undefined),
  };
}

/** How far two engines' probabilities of the labels lie apart. @throws EngineFault where they are those of another model */
export function likeness(ours: Rows, theirs: Rows) {
  const differences = ours.map((row, i) => {
    const other = softmax([...theirs[i]!]);
    return softmax([...row]).map((share, j) => Math.abs(share - other[j]!));
  });
  const best = (row: readonly number[]): number => row.indexOf(Math.max(...row));
  return {
    ...compareBases(theirs as number[][], ours as number[][]),
    largest: Math.max(...differences.flat()),
    /** Mean of half the sum of a prompt's differences, 0 to 1. */
    totalVariation: differences.flat().reduce((sum, each) => sum + each, 0) / 2 / ours.length,
    sameBest: ours.filter((row, i) => best(row) === best(theirs[i]!)).length,
  };
}

/** How alike an adapter changes the labels' log-probabilities in both. @throws ADAPTER_UNPROVEN beyond the tolerance of attestations */
export function likenessOfChange(ours: { off: Rows; on: Rows }, theirs: { off: Rows; on: Rows }) {
  const flat = (rows: Rows): number[] => rows.flatMap(centred);
  const pair = ({ off, on }: { off: Rows; on: Rows }) => ({ off: flat(off), on: flat(on) });
  return compareChanges(pair(theirs), pair(ours));
}

export const TOLERATED = {
  cosine: `at least ${TOLERANCE.cosine}`,
  norm: TOLERANCE.normRatio.map((each) => each.toFixed(2)).join(' to '),
  base: `correlation at least ${SAME_BASE.correlation}, mean difference at most ${SAME_BASE.meanDifference} nats`,
} as const;
