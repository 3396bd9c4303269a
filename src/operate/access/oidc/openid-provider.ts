import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../../kernel/clock.js';
import { GraftError } from '../../../kernel/errors.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import { addressOf } from './address-of.js';

/** How long a provider may take to say its keys, in ms. */
const TIMEOUT_MS = 5_000;
/** Keys are asked for anew no more often, whatever keys tokens name, and what failed isn't tried again sooner, in ms. */
const COOLDOWN_MS = 30_000;
/** A key that the provider takes back is taken for this long, and keys that it moves elsewhere are found after it, in ms. */
const KEPT_MS = 600_000;
const MOST_BYTES = 512 * 1024;

/** https://openid.net/specs/openid-connect-discovery-1_0.html, section 3: what is used of it. */
const discovered = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  token_endpoint: z.unknown().optional(),
  revocation_endpoint: z.unknown().optional(),
});

/** RFC 7517, section 5: what jose takes for a set of keys. */
const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

const unavailable = (cause: unknown): GraftError =>
  new GraftError('IDENTITY_PROVIDER_UNAVAILABLE', 'The provider that signs tokens can’t be asked for its keys now.', {
    cause,
    hint: 'Keys of Graft work meanwhile.',
    retryAfterSeconds: COOLDOWN_MS / 1_000,
  });

/** An answer that is no larger than anybody's keys, followed nowhere else. */
const bounded: FetchImplementation = async (url, options) => {
  const response = await fetch(url, { ...options, redirect: 'error' });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  for (let step = await reader?.read(); step?.done === false; step = await reader?.read()) {
    bytes += step.value.length;
    if (bytes > MOST_BYTES) {
      await reader?.cancel();
      throw new Error(`${url} answered with more than ${MOST_BYTES} bytes`);
    }
    chunks.push(step.value);
  }
  return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers });
};

interface Discovery {
  /** Where its keys are, by its document. */
  uri: string;
  keys: JWTVerifyGetKey;
  /** See `OpenIdProvider.tokenOrigins`. */
  tokenOrigins: readonly string[];
  /** Monotonic ms when the document said so; -Infinity: it is to be asked again. */
  at: number;
}

/** Of these addresses, those that aren't the issuer's own. */
function originsBeside(issuer: string, urls: readonly unknown[]): readonly string[] {
  const origins = new Set(urls.flatMap((url) => addressOf(url, { issuer })?.origin ?? []));
  origins.delete(new URL(issuer).origin);
  return [...origins];
}

/** What a provider's discovery document leads to, its keys above all: asked for when it is needed, and kept for a while. */
export class OpenIdProvider {
  #found: Discovery | undefined;
  #finding: Promise<Discovery> | undefined;
  /** Monotonic ms of the last failure. */
  #failedAt = -Infinity;
  #failure: unknown;

  constructor(
    private readonly issuer: string,
    private readonly parts: { clock: Pick<Clock, 'monotonic'>; log: Logger },
    private readonly times = { timeoutMs: TIMEOUT_MS, cooldownMs: COOLDOWN_MS, keptMs: KEPT_MS },
  ) {}

  /** The key for a token's header. @throws IDENTITY_PROVIDER_UNAVAILABLE; errors of jose where the token names none that there is */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    const discovery = await this.#find();
    try {
      return await discovery.keys(header, token);
    } catch (error) {
      // Those say that the token is at fault; anything else that the provider is.
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JOSENotSupported) throw error;
      this.parts.log.warn({ err: error }, 'the provider’s keys could not be had');
      // They may be elsewhere by now; but the provider is asked no more often, whatever tokens come.
      if (this.parts.clock.monotonic() - discovery.at >= this.times.cooldownMs) discovery.at = -Infinity;
      throw unavailable(error);
    }
  };

  /** Origins other than the issuer's where it gives tokens and takes them back, as Amazon Cognito does; none while it can't be asked. */
  readonly tokenOrigins = async (): Promise<readonly string[]> => {
    try {
      return (await this.#find()).tokenOrigins;
    } catch {
      return [];
    }
  };

  /**
   * jose waits between two answers alone: after a failure every token would have the provider asked, and anybody can send one. Here what failed
   * fails in the same way until the cooldown is over; keys that are known still are taken meanwhile.
   */
  #cooling(): FetchImplementation {
    let failed: { at: number; error: Error } | null = null;
    return async (url, options) => {
      if (failed !== null && this.parts.clock.monotonic() - failed.at < this.times.cooldownMs) throw failed.error;
      try {
        const response = await bounded(url, options);
        if (response.status !== 200) throw new Error(`${url} answered with HTTP ${response.status}`);
        keySet.parse(await response.clone().json());
        failed = null;
        return response;
      } catch (reason) {
        const error = reason instanceof Error ? reason : new Error(String(reason));
        failed = { at: this.parts.clock.monotonic(), error };
        throw error;
      }
    };
  }

  /** What is known is taken until the provider has said more: nobody waits for it to be asked again. */
  async #find(): Promise<Discovery> {
    const { cooldownMs, keptMs } = this.times;
    const now = this.parts.clock.monotonic();
    const discovery = this.#found;
    if (discovery && now - discovery.at < keptMs) return discovery;
    if (now - this.#failedAt < cooldownMs) {
      if (discovery) return discovery;
      throw unavailable(this.#failure);
    }
    this.#finding ??= this.#discover().finally(() => (this.#finding = undefined));
    if (!discovery) return this.#finding;
    this.#finding.catch(() => undefined);
    return discovery;
  }

  async #discover(): Promise<Discovery> {
    const { timeoutMs, cooldownMs, keptMs } = this.times;
    try {
      const url = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await bounded(url, { method: 'GET', headers: new Headers(), redirect: 'manual', signal });
      const document = discovered.parse(await response.json());
      if (document.issuer !== this.issuer) throw new Error(`${url} is the document of ${document.issuer}`);
      const uri = document.jwks_uri;
      const time = this.parts.clock.monotonic();
      const tokenOrigins = originsBeside(this.issuer, [document.token_endpoint, document.revocation_endpoint]);
      if (this.#found?.uri === uri) return Object.assign(this.#found, { tokenOrigins, at: time });
      const keys = createRemoteJWKSet(new URL(uri), {
        timeoutDuration: timeoutMs,
        cooldownDuration: cooldownMs,
        cacheMaxAge: keptMs,
        [customFetch]: this.#cooling(),
      });
      return (this.#found = { uri, keys, tokenOrigins, at: time });
    } catch (error) {
      this.#failedAt = this.parts.clock.monotonic();
      this.#failure = error;
      this.parts.log.warn({ err: error, issuer: this.issuer }, 'the provider of tokens could not be asked');
      throw unavailable(error);
    }
  }
}
