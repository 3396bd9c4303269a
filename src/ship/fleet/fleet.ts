import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { RepetitionWatch } from '../../kernel/repetition.js';
import type { CallOptions, WorkerClient } from '../../platform/worker/index.js';
import type {
  ActingAdapter,
  GenerateDone,
  GenerateEvent,
  GenerateRequest,
  ModelFile,
  NextScores,
  PromptSegment,
  ScoreNextRequest,
} from '../../worker-protocol/index.js';
import type { AdapterShelf } from './adapters/adapter-shelf.js';
import type { EngineAdapter } from './adapters/engine-adapter.js';
import type { AnswerPiece } from './dialects/dialect.js';
import type { Engine } from './engine.js';
import { isFault } from './fault.js';
import { Patience } from './patience.js';
import type { Replica } from './replicas/replica.js';

interface FleetParts {
  shelf: Pick<AdapterShelf, 'ofFile'>;
  tokenizer: Pick<WorkerClient, 'tokenize'>;
  /** SHA-256 of the model's file whose weights the engines were shown to serve. */
  baseSha256: () => Promise<string>;
  /** How long an engine may say nothing before another one is tried, in ms. */
  quietMs?: number;
  /** After how many answers under an adapter an engine is looked at again. */
  checkEvery?: number;
}

const QUIET_MS = 30_000;
const CHECK_EVERY = 200;

/** No engine can serve a request now: nothing of an answer was given, so whoever asked may ask elsewhere. */
export class NoEngine extends Error {
  /** @param leftMs what is left of the request's time; null: as long as it takes */
  constructor(readonly leftMs: number | null) {
    super('no engine can serve this now');
  }
}

/** A request as engines are asked it. */
interface EngineRequest {
  tokens: number[];
  adapter: EngineAdapter | null;
  acting: ActingAdapter[];
  /** Of the prompt and what may be said. */
  room: number;
}

/** Engines that serve the same base model: each request goes to the one with the least to do of those that were shown to serve it. */
export class Fleet implements Engine {
  #replicas: readonly Replica[] = [];
  readonly #quietMs: number;
  readonly #checkEvery: number;
  readonly #background = new AbortController();

  constructor(private readonly parts: FleetParts) {
    this.#quietMs = parts.quietMs ?? QUIET_MS;
    this.#checkEvery = parts.checkEvery ?? CHECK_EVERY;
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  set replicas(replicas: readonly Replica[]) {
    this.#replicas = replicas;
  }

  /**
   * Before its first event another engine is tried when one fails; afterwards nothing is said twice.
   * @throws NoEngine, WORKER_CRASHED when an engine broke off in the middle
   */
  async *generate(request: GenerateRequest, options: CallOptions = {}): AsyncGenerator<GenerateEvent, void, undefined> {
    const patience = new Patience(options);
    const engineRequest = heldElsewhere(request)
      ? null
      : await this.#engineRequest(request, request.maxTokens, options);
    for (const replica of this.#choices(engineRequest, patience)) {
      const attempt = patience.try(this.#quietMs);
      let hasBegun = false;
      try {
        for await (const event of this.#answer(replica, engineRequest!, request, attempt.signal)) {
          attempt.moved();
          hasBegun = true;
          // Who has the last event needn't ask for more.
          if (event.type === 'done') this.#look(replica, engineRequest!);
          yield event;
        }
        return;
      } catch (error) {
        const cause: unknown = attempt.signal.aborted ? attempt.signal.reason : error;
        if (!isFault(cause)) throw cause;
        if (hasBegun)
          throw new GraftError('WORKER_CRASHED', `An engine failed in the middle of the answer: ${cause.message}.`, {
            cause,
          });
      } finally {
        attempt.end();
      }
    }
    throw new NoEngine(patience.left());
  }

  /** `logits` are log-probabilities: their softmax is the same. @throws NoEngine */
  async scoreNext(request: ScoreNextRequest, options: CallOptions = {}): Promise<NextScores> {
    const patience = new Patience(options);
    const candidates = request.candidates.filter((candidate) => typeof candidate === 'number');
    const byText = candidates.length < request.candidates.length;
    const engineRequest = request.fresh || byText ? null : await this.#engineRequest(request, 1, options);
    for (const replica of this.#choices(engineRequest, patience)) {
      const attempt = patience.try(this.#quietMs);
      const began = performance.now();
      try {
        const { tokens, adapter, acting } = engineRequest!;
        const scores = await replica.score(adapter, { tokens, candidates }, attempt.signal);
        this.#look(replica, engineRequest!);
        return {
          tokens: candidates,
          logits: scores,
          logProbabilities: scores,
          adapters: acting,
          promptTokens: tokens.length,
          reusedTokens: 0,
          prefillMs: performance.now() - began,
        };
      } catch (error) {
        const cause: unknown = attempt.signal.aborted ? attempt.signal.reason : error;
        if (!isFault(cause)) throw cause;
      } finally {
        attempt.end();
      }
    }
    throw new NoEngine(patience.left());
  }

  /**
   * Has an adapter loaded and shown to act on every engine that is ready.
   * @throws CONFLICT with the reason when one refuses it, ADAPTER_UNPROVEN; engines that are away are passed over
   */
  async require(adapter: EngineAdapter): Promise<void> {
    const ready = this.#replicas.filter(({ state }) => state === 'READY');
    const results = await Promise.allSettled(ready.map((replica) => replica.hold(adapter, this.#background.signal)));
    results.forEach((result, i) => {
      if (result.status === 'fulfilled') return;
      const reason: unknown = result.reason;
      if (isGraftError(reason)) throw reason;
      if (isFault(reason) && reason.kind === 'REFUSED')
        throw new GraftError('CONFLICT', `The engine ${ready[i]!.url} doesn’t take the adapter: ${reason.message}.`, {
          hint: 'Start the engines with room for it (`--max-lora-rank`) and with the folder of adapters, or train it with a smaller rank.',
        });
    });
  }

  /** Has an adapter loaded wherever it isn't, without anybody waiting. */
  warm(adapter: EngineAdapter): void {
    for (const replica of this.#replicas)
      if (replica.wants(adapter)) replica.hold(adapter, this.#background.signal).catch(() => undefined);
  }

  /** Ends what goes on in the background. */
  stop(): void {
    this.#background.abort();
  }

  async *#answer(
    replica: Replica,
    { tokens, adapter, acting }: EngineRequest,
    { maxTokens, temperature, seed, sampling, stop }: GenerateRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    const began = performance.now();
    const output = new Written();
    let firstAt: number | null = null;
    const generationRequest = {
      tokens,
      maxTokens,
      temperature,
      stop,
      sampling,
      ...(seed === undefined ? {} : { seed }),
    };
    for await (const piece of replica.stream(adapter, generationRequest, signal)) {
      if (firstAt === null) {
        firstAt = performance.now();
        yield { type: 'started', promptTokens: tokens.length, reusedTokens: 0 };
      }
      if (piece.text !== '') yield { type: 'delta', text: piece.text };
      if (output.add(piece)) break;
    }
    const endedAt = performance.now();
    yield {
      type: 'done',
      ...output.told(),
      promptTokens: tokens.length,
      adapters: acting,
      prefillMs: (firstAt ?? endedAt) - began,
      decodeMs: endedAt - (firstAt ?? endedAt),
    };
  }

  /** What engines are asked; null where they can't serve it. An adapter that none has yet is loaded meanwhile. */
  async #engineRequest(
    request: { workspaceId: string; model: ModelFile; prompt: PromptSegment[] },
    mostTokens: number,
    { signal, priority }: CallOptions,
  ): Promise<EngineRequest | null> {
    const { workspaceId, model, prompt } = request;
    const { adapters = [] } = model;
    const ready = this.#replicas.some(({ state }) => state === 'READY');
    if (!ready || adapters.length > 1 || model.sha256 !== (await this.parts.baseSha256())) return null;
    const [file] = adapters;
    const shelved = file && (await this.parts.shelf.ofFile(workspaceId as WorkspaceId, file));
    if (shelved && shelved.adapter === null) return null;
    const adapter = shelved?.adapter ?? null;
    if (adapter) this.warm(adapter);
    const tokenRequest = { workspaceId, model: { ...model, adapters: undefined }, prompts: [prompt] };
    const [ids] = (await this.parts.tokenizer.tokenize(tokenRequest, { signal, priority })).tokens;
    const tokens = Array.from(ids!);
    const acting = adapters.map(({ sha256, scale }) => ({ sha256, scale }));
    return { tokens, adapter, acting, room: tokens.length + mostTokens };
  }

  /** The engines to try, each once, the one with the least to do first; of equals the one that answered least. */
  *#choices(engineRequest: EngineRequest | null, patience: Patience): Generator<Replica, void> {
    const triedReplicas = new Set<Replica>();
    while (engineRequest !== null) {
      patience.left();
      const [best] = this.#replicas
        .filter((replica) => !triedReplicas.has(replica) && replica.serves(engineRequest.adapter, engineRequest.room))
        .sort((a, b) => a.inFlight - b.inFlight || a.answered - b.answered);
      if (!best) return;
      triedReplicas.add(best);
      yield best;
    }
  }

  /** A look now and then whether an adapter still acts, under traffic. */
  #look(replica: Replica, { adapter }: EngineRequest): void {
    const resident = adapter && replica.residents.find((entry) => entry.adapter.name === adapter.name);
    if (resident && resident.answered > 0 && resident.answered % this.#checkEvery === 0)
      void replica.check(adapter, this.#background.signal);
  }
}

/**
 * Only the worker beside the gateway holds an answer to a text, a form or a grammar, tells of each token how probable it was, and knows which
 * tokens there are: an id that an engine doesn't have counts there as its fault.
 */
const heldElsewhere = ({ grammar, json, calls, constraint, probable, sampling }: GenerateRequest): boolean =>
  [grammar, json, calls, constraint, probable, sampling?.logitBias].some((field) => field !== undefined);

/** What an engine has said so far. */
class Written {
  #text = '';
  #reason: GenerateDone['reason'] | null = null;
  #usage: AnswerPiece['usage'] = null;
  #repeatedFrom: number | undefined;
  readonly #watch = new RepetitionWatch();
  /** Length of the text after each token. */
  readonly #lengths: number[] = [];

  /** @returns whether it begins to say the same over and over */
  add({ text, tokens, reason, usage }: AnswerPiece): boolean {
    this.#text += text;
    this.#reason = reason ?? this.#reason;
    this.#usage = usage ?? this.#usage;
    for (const token of tokens) {
      this.#lengths.push(this.#text.length);
      const repeated = this.#watch.push(token);
      if (!repeated) continue;
      this.#repeatedFrom = this.#lengths[repeated.kept - 1];
      this.#reason = 'repeated';
      return true;
    }
    return false;
  }

  told(): Pick<GenerateDone, 'text' | 'reason' | 'repeatedFrom' | 'generatedTokens' | 'reusedTokens'> {
    return {
      text: this.#text,
      reason: this.#reason ?? 'eos',
      ...(this.#repeatedFrom !== undefined && { repeatedFrom: this.#repeatedFrom }),
      generatedTokens: this.#usage?.generatedTokens ?? this.#lengths.length,
      reusedTokens: this.#usage?.reusedTokens ?? 0,
    };
  }
}
