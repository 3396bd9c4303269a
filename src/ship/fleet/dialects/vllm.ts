import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { logSumExp } from '../../../kernel/softmax.js';
import { LabelScoring, SCORED_AT_ONCE, type Capabilities } from '../engine.js';
import type { EngineHttp } from '../engine-http.js';
import { EngineFault, isFault } from '../fault.js';
import { AS_THE_MODEL, listModels, onlyBase, readAs, streamCompletion } from './completions.js';
import { DialectName, type Dialect, type Prompted, type ScoreRequest } from './dialect.js';

const versionBody = z.object({ version: z.string() });
const completion = z.object({
  model: z.string(),
  choices: z
    .array(z.object({ logprobs: z.object({ top_logprobs: z.array(z.record(z.string(), z.number())).min(1) }) }))
    .length(1),
});

/** `--max-logprobs` of a server that nobody configured. */
const TOP_AT_ONCE = 20;

/** Any two tokens, at which the ways to score are tried. */
const TRIED = [0, 1];

const WANTED =
  'it wants the adapters’ folder by the same path, --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True';

/**
 * Of a folder that it doesn’t see it says 404, as of the address where nobody allowed loading; of an adapter that it can’t serve 500, with its worker’s
 * reason between quotes.
 */
function refusalOr(error: unknown): unknown {
  if (!isFault(error)) return error;
  if (error.kind === 'UNKNOWN_MODEL')
    return new EngineFault('REFUSED', `${error.message} (${WANTED})`, { cause: error });
  const reason = /add_lora\b.* failed with error '(.*?)\.?', please check/s.exec(error.message)?.[1];
  return reason === undefined ? error : new EngineFault('REFUSED', reason, { cause: error });
}

type Scored = Omit<ScoreRequest, 'candidates'>;

const modelOf = ({ adapter, base }: Prompted): string => adapter ?? base;

/** vLLM's server, from 0.12 on. */
export const vllm: Dialect = {
  name: DialectName.VLLM,

  async probe(http, signal): Promise<Capabilities | null> {
    const response = await http.json('GET', '/version', undefined, { signal }).catch((error: unknown) => {
      if (isFault(error) && (error.kind === 'UNKNOWN_MODEL' || error.kind === 'REFUSED')) return null;
      throw error;
    });
    const version = versionBody.safeParse(response);
    if (!version.success) return null;
    const { id: base, contextTokens } = onlyBase(await listModels(http, signal));
    if (contextTokens === null) throw new EngineFault('REFUSED', 'it doesn’t tell how long its context is');
    return { version: version.data.version, base, contextTokens, scoring: await scoringOf(http, base, signal) };
  },

  models: listModels,

  async load(http, { name, path }, signal) {
    const body = { lora_name: name, lora_path: path };
    await http.json('POST', '/v1/load_lora_adapter', body, { signal }).catch((error: unknown) => {
      throw refusalOr(error);
    });
  },

  async unload(http, name, signal) {
    await http.json('POST', '/v1/unload_lora_adapter', { lora_name: name }, { signal });
  },

  stream: (http, request, signal) =>
    streamCompletion(http, modelOf(request), request, { return_token_ids: true }, signal),

  score: (http, { candidates, ...prompt }, scoring, signal) =>
    scoring === LabelScoring.LOGPROB_TOKEN_IDS
      ? scoreAsked(http, prompt, candidates, signal)
      : scoreAllowed(http, prompt, candidates, signal),
};

/** Log-probabilities among the whole vocabulary, so that chunks need nothing in common. */
async function scoreAsked(
  http: EngineHttp,
  prompt: Scored,
  candidates: readonly number[],
  signal: AbortSignal,
): Promise<number[]> {
  const logProbabilities: number[] = [];
  for (let from = 0; from < candidates.length; from += SCORED_AT_ONCE) {
    const ids = candidates.slice(from, from + SCORED_AT_ONCE);
    logProbabilities.push(...(await nextOf(http, prompt, ids, { logprobs: 1, logprob_token_ids: ids }, signal)));
  }
  return logProbabilities;
}

/**
 * Log-probabilities among the ids that are allowed, which makes each request a scale of its own: the first candidate is asked for
 * in each and puts them on one.
 */
async function scoreAllowed(
  http: EngineHttp,
  prompt: Scored,
  [anchor = 0, ...candidates]: readonly number[],
  signal: AbortSignal,
): Promise<number[]> {
  const logProbabilities: number[] = [0];
  for (let from = 0; from === 0 || from < candidates.length; from += TOP_AT_ONCE - 1) {
    const ids = [anchor, ...candidates.slice(from, from + TOP_AT_ONCE - 1)];
    const [zero, ...rest] = await nextOf(http, prompt, ids, { logprobs: ids.length, allowed_token_ids: ids }, signal);
    logProbabilities.push(...rest.map((value) => value - zero!));
  }
  return normalised(logProbabilities);
}

function normalised(values: readonly number[]): number[] {
  const total = logSumExp(values);
  return values.map((value) => value - total);
}

async function nextOf(
  http: EngineHttp,
  prompt: Scored,
  ids: readonly number[],
  options: object,
  signal: AbortSignal,
): Promise<number[]> {
  const model = modelOf(prompt);
  const body = {
    model,
    prompt: prompt.tokens,
    max_tokens: 1,
    temperature: 0,
    ...AS_THE_MODEL,
    return_tokens_as_token_ids: true,
    ...(prompt.fresh && { cache_salt: randomUUID() }),
    ...options,
  };
  const read = readAs(completion, await http.json('POST', '/v1/completions', body, { signal }));
  if (read.model !== model) throw new EngineFault('BROKEN', `it answers as ${read.model}, not as ${model}`);
  const topLogprobs = read.choices[0]!.logprobs.top_logprobs[0]!;
  return ids.map((id) => {
    const value = topLogprobs[`token_id:${id}`];
    if (value === undefined || !Number.isFinite(value) || value > 1e-3)
      throw new EngineFault('BROKEN', `it doesn’t tell how probable token ${id} is`);
    return Math.min(0, value);
  });
}

/**
 * Which way works here. Without `logprob_token_ids` the log-probabilities of allowed tokens have to be those among them, which a server
 * gives only under `--logprobs-mode processed_logprobs`.
 */
async function scoringOf(http: EngineHttp, base: string, signal: AbortSignal): Promise<LabelScoring> {
  const prompt: Prompted = { base, adapter: null, tokens: TRIED };
  try {
    await scoreAsked(http, prompt, TRIED, signal);
    return LabelScoring.LOGPROB_TOKEN_IDS;
  } catch (error) {
    if (!isFault(error) || (error.kind !== 'BROKEN' && error.kind !== 'REFUSED')) throw error;
  }
  const options = { logprobs: TRIED.length, allowed_token_ids: TRIED };
  const logProbabilities = await nextOf(http, prompt, TRIED, options, signal);
  if (Math.abs(logProbabilities.reduce((sum, value) => sum + Math.exp(value), 0) - 1) < 1e-3)
    return LabelScoring.ALLOWED_TOKEN_IDS;
  throw new EngineFault(
    'REFUSED',
    'it tells the probabilities of given tokens in no way that can be used: start it with --logprobs-mode processed_logprobs',
  );
}
