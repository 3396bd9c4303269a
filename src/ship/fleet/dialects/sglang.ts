import { z } from 'zod';
import { LabelScoring, SCORED_AT_ONCE, type Capabilities } from '../engine.js';
import { EngineFault, isFault } from '../fault.js';
import { listModels, onlyBase, readAs, streamCompletion } from './completions.js';
import { DialectName, type Dialect, type AnswerPiece, type Prompted, type GenerationRequest } from './dialect.js';
import type { EngineHttp } from '../engine-http.js';

const serverInfo = z.object({ version: z.string(), context_length: z.number().int().positive().nullish() });
const scores = z.object({ scores: z.array(z.array(z.number())).length(1) });
const loaded = z.object({ success: z.boolean(), error_message: z.string().nullish() });

const modelOf = ({ adapter, base }: Prompted): string => (adapter === null ? base : `${base}:${adapter}`);

/** SGLang's server: as vLLM's but for how adapters are named and loaded, and how labels are scored. */
export const sglang: Dialect = {
  name: DialectName.SGLANG,

  async probe(http, signal): Promise<Capabilities | null> {
    const response = await http.json('GET', '/get_server_info', undefined, { signal }).catch((error: unknown) => {
      if (isFault(error) && (error.kind === 'UNKNOWN_MODEL' || error.kind === 'REFUSED')) return null;
      throw error;
    });
    const info = serverInfo.safeParse(response);
    if (!info.success) return null;
    const { id: base, contextTokens } = onlyBase(await listModels(http, signal));
    const context = contextTokens ?? info.data.context_length ?? null;
    if (context === null) throw new EngineFault('REFUSED', 'it doesn’t tell how long its context is');
    return { version: info.data.version, base, contextTokens: context, scoring: LabelScoring.SCORE };
  },

  models: listModels,

  async load(http, { name, path }, signal) {
    const body = { lora_name: name, lora_path: path, pinned: false };
    const { success, error_message: reason } = readAs(
      loaded,
      await http.json('POST', '/load_lora_adapter', body, { signal }),
    );
    if (!success) throw new EngineFault('REFUSED', reason ?? 'it gives no reason');
  },

  async unload(http, name, signal) {
    await http.json('POST', '/unload_lora_adapter', { lora_name: name }, { signal });
  },

  stream,

  /** Its probabilities are those among the whole vocabulary where no softmax is asked for. */
  async score(http, { candidates, ...prompt }, _scoring, signal) {
    const logProbabilities: number[] = [];
    for (let from = 0; from < candidates.length; from += SCORED_AT_ONCE) {
      const ids = candidates.slice(from, from + SCORED_AT_ONCE);
      const body = {
        model: modelOf(prompt),
        query: prompt.tokens,
        items: [[]],
        label_token_ids: ids,
        apply_softmax: false,
      };
      const response = await http.json('POST', '/v1/score', body, { signal }).catch((error: unknown) => {
        throw unknownOr(error);
      });
      const [row] = readAs(scores, response).scores;
      if (row!.length !== ids.length || row!.some((value) => !(value >= 0 && value <= 1.001)))
        throw new EngineFault('BROKEN', 'its scores are no probabilities of the tokens that were asked for');
      logProbabilities.push(...row!.map((value) => Math.log(Math.min(1, Math.max(value, Number.MIN_VALUE)))));
    }
    return logProbabilities;
  },
};

async function* stream(
  http: EngineHttp,
  request: GenerationRequest,
  signal: AbortSignal,
): AsyncGenerator<AnswerPiece, void> {
  try {
    yield* streamCompletion(http, modelOf(request), request, {}, signal);
  } catch (error) {
    throw unknownOr(error);
  }
}

/** An adapter that it doesn’t have it refuses as anything else that is wrong with a request. */
const unknownOr = (error: unknown): unknown =>
  isFault(error) && error.kind === 'REFUSED' && /not loaded/i.test(error.message)
    ? new EngineFault('UNKNOWN_MODEL', error.message, { cause: error })
    : error;
