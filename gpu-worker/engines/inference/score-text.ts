import type { Token } from 'node-llama-cpp';
import type { Call } from '../../server.js';
import type { Turn } from '../../turns.js';
import { badInput } from '../../../src/kernel/errors.js';
import type { InputOf, OutputOf, ServeOperations } from '../../../src/worker-protocol/index.js';
import { defaultThreads, type HostedModel } from './model-host.js';
import { asking, logitOf, told, type NextLogits } from './next-logits.js';
import { requireRoom, requireTime } from './prefill.js';
import { readingProgress } from './reading-progress.js';
import { tokenizePrompt, tokenizeText } from './prompt.js';

type ScoreText = ServeOperations['scoreText'];

/**
 * What the model says of each token of a text, given those before it. Every token is computed anew.
 * @throws BAD_USER_INPUT when nothing is left to score, or `wanted` doesn't fit the places, QUESTION_TOO_LONG, and what
 *   `Adapters.hold` throws
 */
export async function scoreText(
  hostedModel: HostedModel,
  input: InputOf<ScoreText>,
  call: Call,
  turn: Turn,
): Promise<OutputOf<ScoreText>> {
  const prefix = input.given === undefined ? [] : tokenizePrompt(hostedModel.model, input.given);
  const tokens = [...prefix, ...tokenizeText(hostedModel.model, input.text)];
  requireRoom(hostedModel, tokens.length);
  const from = Math.max(1, prefix.length);
  const scored = tokens.slice(from);
  if (scored.length === 0) throw badInput('text', 'The text has no token that another one comes before.');
  const tokensAt = wantedAt(
    input.wanted,
    scored.length,
    hostedModel.model.fileInfo.metadata.tokenizer.ggml.tokens.length,
  );
  requireTime(hostedModel, { tokens: tokens.length, reused: 0 }, call.timeLeft());
  const settings = {
    adapters: input.model.adapters ?? [],
    threads: input.threads ?? defaultThreads(),
    turn,
    trace: call.trace,
  };
  return hostedModel.withSequence(tokens, settings, async (lease) => {
    await lease.clear();
    const results = await lease.evaluateAll(
      [
        ...tokens.slice(0, from - 1),
        ...scored.map((token, place) => asking(tokens[from - 1 + place]!, [token, ...tokensAt(place)], input.top)),
      ],
      readingProgress(call),
    );
    const places = scored.map((_, place) => told(results[from - 1 + place]?.next));
    const top = places.map((place) => mostProbable(place, input.top));
    return {
      logProbabilities: Float32Array.from(places, (place, i) => logProbability(place, scored[i]!)),
      top: Int32Array.from(top.flat()),
      topLogProbabilities: Float32Array.from(
        places.flatMap((place, i) => top[i]!.map((token) => logProbability(place, token))),
      ),
      wantedLogProbabilities: Float32Array.from(
        places.flatMap((place, i) => tokensAt(i).map((token) => logProbability(place, token))),
      ),
      adapters: lease.acting,
    };
  });
}

const logProbability = (place: NextLogits, token: Token): number =>
  Math.min(0, logitOf(place, token) - place.normaliser);

/** Equal logits in the order of their tokens, so that two models that agree say the same. */
const mostProbable = ({ logits }: NextLogits, count: number): Token[] =>
  [...logits]
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, count)
    .map(([token]) => token);

function wantedAt(tokens: Int32Array | undefined, places: number, vocabulary: number): (place: number) => Token[] {
  if (tokens === undefined) return () => [];
  const perPlace = tokens.length / places;
  if (!Number.isInteger(perPlace))
    throw badInput('wanted', `${tokens.length} tokens don’t spread over ${places} places.`);
  if (tokens.some((token) => token < 0 || token >= vocabulary))
    throw badInput('wanted', 'The model has no such token.');
  return (place) => [...tokens.subarray(place * perPlace, (place + 1) * perPlace)] as Token[];
}
