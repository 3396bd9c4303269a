/*
 * An engine goes from CONNECTING to READY when it was shown to serve the base, falls to AWAY when it doesn't answer, to REFUSED when it can't be used, and is met anew
 * from both. On it an adapter is LOADING, then PROVEN when it was shown to act there as it does beside the gateway; UNPROVEN when it doesn't, when that
 * couldn't be told, or when the engine forgot it; REFUSED when the engine won't have it: both are tried again later. Only a READY engine whose breaker allows it is
 * asked, with an adapter only where that is PROVEN.
 */

import { choice } from '../../../kernel/record.js';
import { compareChanges } from '../../../prove/index.js';
import type { Clock } from '../../../kernel/clock.js';
import { isGraftError } from '../../../kernel/errors.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import type { EngineAdapter } from '../adapters/engine-adapter.js';
import type { Dialect, EngineModel, AnswerPiece, Prompted, GenerationRequest } from '../dialects/dialect.js';
import { sglang } from '../dialects/sglang.js';
import { vllm } from '../dialects/vllm.js';
import type { Capabilities } from '../engine.js';
import type { EngineHttp } from '../engine-http.js';
import { EngineFault, isFault } from '../fault.js';
import { centred, compareBases } from '../proof/compare-bases.js';
import type { References } from '../proof/reference.js';
import { Breaker } from './breaker.js';

/** `CONNECTING`: not looked at yet, or again; `READY`: it was shown to serve the base; `AWAY`: it doesn't answer; `REFUSED`: it can't be used. */
export const EngineState = choice('EngineState', 'Whether an engine answers questions.', {
  CONNECTING: 'It is being looked at: what it is, and whether it serves the default model.',
  READY: 'It was shown to serve the default model, and answers.',
  AWAY: 'It can’t be reached, or isn’t what it was; it is looked at again every few seconds.',
  REFUSED: 'It can’t be used as it was started; `reason` says why.',
});
export type EngineState = keyof typeof EngineState;

/** `PROVEN`: it was shown to act on this engine as it does beside the gateway. */
export const ResidentState = choice('EngineAdapterState', 'Whether an adapter answers on an engine.', {
  LOADING: 'It is being loaded, or shown to act.',
  PROVEN: 'It was shown to act there as it does beside the gateway, and answers.',
  UNPROVEN: 'It was forgotten, or doesn’t act as it should; it is loaded anew.',
  REFUSED: 'The engine won’t load it; `reason` says why.',
});
export type ResidentState = keyof typeof ResidentState;

/** An adapter on one engine. */
export interface Resident {
  readonly adapter: EngineAdapter;
  state: ResidentState;
  /** Why it isn't used; null when it is. */
  reason: string | null;
  /** Cosine between its change of the log-probabilities here and beside the gateway; null before that is known. */
  cosine: number | null;
  provenAt: Date | null;
  /** Monotonic ms. */
  lastUsed: number;
  inFlight: number;
  /** Requests that it answered. */
  answered: number;
  /** An engine whose list lacks what it serves is not believed again. */
  listed: boolean;
  /** Monotonic ms from which a load that failed is tried again. */
  retryAt: number;
}

interface ReplicaParts {
  http: EngineHttp;
  references: References;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn'>;
}

const DIALECTS: readonly Dialect[] = [vllm, sglang];

const LOOK_MS = 10_000;
/** The first log-probabilities that a server is asked for take half a minute on a processor. */
const PROOF_MS = 180_000;
const RETRY_MS = 60_000;

const MIXES =
  'it answers the base model with an adapter’s weights when both are asked at once, as vLLM does on a processor once each of its `--max-loras` places was used';
/** What noise moves the base by, of what the adapter moves it by: nearly nothing; what is computed with an adapter’s weights moves about as far. */
const MOST_STRAYING = 0.25;

/** One engine of a fleet: what it is, what it has, and whether that was shown to be so. */
export class Replica {
  state: EngineState = EngineState.CONNECTING;
  /** Why it isn't used; null when it is. */
  reason: string | null = null;
  capabilities: Capabilities | null = null;
  dialect: Dialect | null = null;
  inFlight = 0;
  answered = 0;
  failed = 0;
  readonly breaker: Breaker;
  readonly #residents = new Map<string, Resident>();
  readonly #loading = new Map<string, Promise<void>>();
  /** One proof after another: what one asks of the base alone would be asked beside what another one asks of an adapter. */
  #proofs: Promise<unknown> = Promise.resolve();
  /** Whether it was seen to answer the base with an adapter’s weights: until it is met anew it answers as the base alone. */
  #mixes = false;

  constructor(private readonly parts: ReplicaParts) {
    this.breaker = new Breaker(parts.clock);
  }

  get url(): string {
    return this.parts.http.url;
  }

  get residents(): readonly Resident[] {
    return [...this.#residents.values()];
  }

  /** Whether it may be asked this now. @param tokens of the prompt and what may be said */
  serves(adapter: EngineAdapter | null, tokens: number): boolean {
    if (this.state !== EngineState.READY || !this.breaker.allows) return false;
    if (tokens > (this.capabilities?.contextTokens ?? 0)) return false;
    return adapter === null || (!this.#mixes && this.#residents.get(adapter.name)?.state === ResidentState.PROVEN);
  }

  async *stream(
    adapter: EngineAdapter | null,
    request: Omit<GenerationRequest, 'base' | 'adapter'>,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerPiece, void> {
    const { dialect, prompted, ended } = this.#entered(adapter);
    let error: unknown = null;
    try {
      yield* dialect.stream(this.parts.http, { ...request, ...prompted }, signal);
    } catch (failure) {
      error = failure;
      throw failure;
    } finally {
      ended(error);
    }
  }

  async score(
    adapter: EngineAdapter | null,
    request: { tokens: readonly number[]; candidates: readonly number[] },
    signal: AbortSignal,
  ): Promise<number[]> {
    const { dialect, prompted, ended } = this.#entered(adapter);
    try {
      const { scoring } = this.capabilities!;
      const scores = await dialect.score(this.parts.http, { ...request, ...prompted }, scoring, signal);
      ended(null);
      return scores;
    } catch (error) {
      ended(error);
      throw error;
    }
  }

  /** Looks whether it is there, is what it was, and has what it had. Never throws. */
  async look(signal: AbortSignal): Promise<void> {
    try {
      if (this.state !== EngineState.READY) await this.#meet(signal);
      const lookSignal = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
      const models = await this.dialect!.models(this.parts.http, lookSignal);
      if (!models.some(({ id, parent }) => parent === null && id === this.capabilities!.base))
        throw new EngineFault('AWAY', 'it serves another base model by now');
      for (const resident of this.#residents.values()) this.#reconcile(resident, models);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  /**
   * Has an adapter loaded and shown to act; at once when it is.
   * @throws EngineFault, ADAPTER_UNPROVEN when it doesn't act as it does beside the gateway
   */
  hold(adapter: EngineAdapter, signal: AbortSignal): Promise<void> {
    const resident = this.#residents.get(adapter.name);
    if (resident?.state === ResidentState.PROVEN) return Promise.resolve();
    if (this.#mixes) return Promise.reject(new EngineFault('REFUSED', MIXES));
    const underWay = this.#loading.get(adapter.name);
    if (underWay) return underWay;
    const loading = this.#load(adapter, signal).finally(() => this.#loading.delete(adapter.name));
    this.#loading.set(adapter.name, loading);
    return loading;
  }

  /** Whether loading it is worth a try now: an engine that refused isn't asked all the time. */
  wants(adapter: EngineAdapter): boolean {
    const resident = this.#residents.get(adapter.name);
    if (this.state !== EngineState.READY || this.#mixes || this.#loading.has(adapter.name)) return false;
    return (
      resident === undefined ||
      (resident.state !== ResidentState.PROVEN && this.parts.clock.monotonic() >= resident.retryAt)
    );
  }

  /** Shows once more, on one prompt, that an adapter acts; what fails answers nothing from then on. Never throws. */
  async check(adapter: EngineAdapter, signal: AbortSignal): Promise<void> {
    const resident = this.#residents.get(adapter.name);
    if (resident?.state !== ResidentState.PROVEN) return;
    try {
      await this.#prove(resident, signal, resident.answered);
    } catch (error) {
      if (signal.aborted || this.#residents.get(adapter.name) !== resident) return;
      if (isGraftError(error)) this.#distrust(resident, error);
      else this.#failed(error);
    }
  }

  /** Unloads an adapter that nobody uses. Never throws. */
  async drop(name: string, signal: AbortSignal): Promise<void> {
    if ((this.#residents.get(name)?.inFlight ?? 0) > 0) return;
    this.#residents.delete(name);
    await this.dialect?.unload(this.parts.http, name, signal).catch(() => undefined);
  }

  async #meet(signal: AbortSignal): Promise<void> {
    const { http, references, log } = this.parts;
    const proofSignal = AbortSignal.any([signal, AbortSignal.timeout(PROOF_MS)]);
    for (const dialect of DIALECTS) {
      const capabilities = await dialect.probe(http, proofSignal);
      if (capabilities === null) continue;
      const { prompts, candidates, off } = await references.base();
      const engineScores: number[][] = [];
      for (const tokens of prompts) {
        const scoreRequest = { base: capabilities.base, adapter: null, tokens, candidates };
        engineScores.push(await dialect.score(http, scoreRequest, capabilities.scoring, proofSignal));
      }
      const likeness = compareBases(engineScores, off);
      Object.assign(this, { dialect, capabilities, state: EngineState.READY, reason: null });
      this.#mixes = false;
      this.breaker.succeeded();
      log.info({ engine: this.url, dialect: dialect.name, ...capabilities, ...likeness }, 'engine is ready');
      return;
    }
    throw new EngineFault('REFUSED', 'it speaks neither vLLM’s nor SGLang’s dialect');
  }

  async #load(adapter: EngineAdapter, signal: AbortSignal): Promise<void> {
    const { clock, http, log } = this.parts;
    const resident: Resident = {
      adapter,
      state: ResidentState.LOADING,
      reason: null,
      cosine: null,
      provenAt: null,
      lastUsed: clock.monotonic(),
      inFlight: 0,
      answered: 0,
      retryAt: 0,
      listed: this.#residents.get(adapter.name)?.listed ?? true,
    };
    this.#residents.set(adapter.name, resident);
    const proofSignal = AbortSignal.any([signal, AbortSignal.timeout(PROOF_MS)]);
    try {
      await this.dialect!.load(http, adapter, proofSignal).catch((error: unknown) => {
        // Another gateway was quicker: a name holds its digest, and what is there has to prove itself all the same.
        if (!isFault(error) || !/already/i.test(error.message)) throw error;
      });
      await this.#prove(resident, signal, null);
      if (this.#mixes) throw new EngineFault('REFUSED', MIXES);
      Object.assign(resident, { state: ResidentState.PROVEN, reason: null });
      log.info({ engine: this.url, adapter: adapter.name, cosine: resident.cosine }, 'adapter is shown to act');
    } catch (error) {
      if (this.#residents.get(adapter.name) === resident) this.#notLoaded(resident, error, signal);
      throw error;
    }
  }

  #notLoaded(resident: Resident, error: unknown, { aborted }: AbortSignal): void {
    resident.retryAt = this.parts.clock.monotonic() + RETRY_MS;
    if (isGraftError(error)) return this.#distrust(resident, error);
    if (isFault(error) && error.kind === 'REFUSED') {
      Object.assign(resident, { state: ResidentState.REFUSED, reason: error.message });
      this.parts.log.warn(
        { engine: this.url, adapter: resident.adapter.name, reason: error.message },
        'adapter refused',
      );
    } else {
      // Who waited gave up, or the engine failed with this adapter: neither says anything of how it serves the base.
      if (aborted) this.#residents.delete(resident.adapter.name);
      else
        Object.assign(resident, {
          state: ResidentState.UNPROVEN,
          reason: reasonOf(error),
        });
      if (isFault(error) && error.kind === 'AWAY') this.#failed(error);
    }
  }

  /**
   * The base is asked alone, then at once with the adapter: whoever shares a batch has to be answered by its own weights.
   * @param turn which prompt is enough; null: all of them
   * @throws ADAPTER_UNPROVEN, EngineFault
   */
  #prove(resident: Resident, signal: AbortSignal, turn: number | null): Promise<void> {
    const proof = this.#proofs.then(() => {
      if (this.#mixes) throw new EngineFault('REFUSED', MIXES);
      // Its time begins with its turn.
      return this.#show(resident, AbortSignal.any([signal, AbortSignal.timeout(PROOF_MS)]), turn);
    });
    this.#proofs = proof.catch(() => undefined);
    return proof;
  }

  async #show(resident: Resident, signal: AbortSignal, turn: number | null): Promise<void> {
    const { http, references, clock } = this.parts;
    const { adapter } = resident;
    const { prompts, candidates, off, on } = await references.of(adapter);
    const places = turn === null ? prompts.map((_, i) => i) : [turn % prompts.length];
    const { base, scoring } = this.capabilities!;
    const score = (name: string | null, place: number): Promise<number[]> => {
      const scoreRequest = { base, adapter: name, tokens: prompts[place]!, candidates, fresh: true };
      return this.dialect!.score(http, scoreRequest, scoring, signal).then(centred);
    };
    const baseScores: number[][] = [];
    for (const place of places) baseScores.push(await score(null, place));
    const jointScores = await Promise.all(
      places.map((place) => Promise.all([score(adapter.name, place), score(null, place)])),
    );
    const engineScores = { off: baseScores.flat(), on: jointScores.flatMap(([changed]) => changed) };
    const referenceScores = {
      off: places.flatMap((place) => centred(off[place]!)),
      on: places.flatMap((place) => centred(on[place]!)),
    };
    const { cosine } = compareChanges(engineScores, referenceScores);
    const concurrentScores = jointScores.flatMap(([, unchanged]) => unchanged);
    if (strays(engineScores, concurrentScores)) throw this.#mixed();
    Object.assign(resident, { cosine, provenAt: clock.now() });
  }

  /** Nothing that it has is trusted any more; without adapters it answers right. */
  #mixed(): EngineFault {
    const error = new EngineFault('REFUSED', MIXES);
    this.#mixes = true;
    for (const resident of this.#residents.values()) this.#distrust(resident, error);
    return error;
  }

  #distrust(resident: Resident, error: Error): void {
    const retryAt = this.parts.clock.monotonic() + RETRY_MS;
    Object.assign(resident, { state: ResidentState.UNPROVEN, reason: error.message, retryAt });
    this.parts.log.warn(
      { engine: this.url, adapter: resident.adapter.name, err: error },
      'adapter doesn’t act as it should',
    );
    void this.dialect
      ?.unload(this.parts.http, resident.adapter.name, AbortSignal.timeout(LOOK_MS))
      .catch(() => undefined);
  }

  #reconcile(resident: Resident, models: readonly EngineModel[]): void {
    const { name } = resident.adapter;
    if (models.some(({ id }) => id === name)) resident.listed = true;
    else if (resident.state === ResidentState.PROVEN && resident.listed) {
      resident.listed = false;
      this.#forget(name);
    }
  }

  /** The engine doesn't have it, whatever was thought. It is loaded anew by whoever wants it. */
  #forget(name: string): void {
    const resident = this.#residents.get(name);
    if (!resident || resident.state === ResidentState.LOADING) return;
    Object.assign(resident, { state: ResidentState.UNPROVEN, reason: 'the engine has forgotten it', retryAt: 0 });
  }

  #entered(adapter: EngineAdapter | null) {
    const resident = adapter && this.#residents.get(adapter.name);
    for (const counter of [this, resident]) if (counter) counter.inFlight += 1;
    if (resident) resident.lastUsed = this.parts.clock.monotonic();
    const prompted: Omit<Prompted, 'tokens'> = { base: this.capabilities!.base, adapter: adapter?.name ?? null };
    const finish = (error: unknown): void => {
      for (const counter of [this, resident]) if (counter) counter.inFlight -= 1;
      if (isFault(error)) {
        if (error.kind === 'UNKNOWN_MODEL' && adapter) this.#forget(adapter.name);
        else this.#failed(error);
      } else if (error === null) {
        this.breaker.succeeded();
        for (const counter of [this, resident]) if (counter) counter.answered += 1;
      }
    };
    return { dialect: this.dialect!, prompted, ended: finish };
  }

  /**
   * An engine that is ready and fails now and then is left to its breaker. Who can't be reached, or isn't what it was, is met anew before it
   * answers again, and nothing that it had counts as proven.
   */
  #failed(error: unknown): void {
    const kind = isFault(error) ? error.kind : 'BROKEN';
    this.failed += 1;
    if (kind === 'BUSY') return;
    this.breaker.failed();
    if (kind !== 'AWAY' && this.state === EngineState.READY) return;
    const state = kind === 'REFUSED' ? EngineState.REFUSED : EngineState.AWAY;
    const reason = reasonOf(error);
    if (this.state !== state) this.parts.log.warn({ engine: this.url, reason }, 'engine isn’t used');
    Object.assign(this, { state, reason });
    for (const { adapter, inFlight } of this.#residents.values())
      if (inFlight === 0) this.#residents.delete(adapter.name);
      else this.#forget(adapter.name);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether the base, asked beside the adapter, moved towards it or another one. @param concurrentScores the base's scores then */
function strays(
  { off, on }: { off: readonly number[]; on: readonly number[] },
  concurrentScores: readonly number[],
): boolean {
  const distance = (a: readonly number[]): number => Math.hypot(...a.map((value, i) => value - off[i]!));
  return distance(concurrentScores) > MOST_STRAYING * distance(on);
}
