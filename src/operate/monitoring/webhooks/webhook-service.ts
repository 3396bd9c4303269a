import { randomInt } from 'node:crypto';
import { Agent, request, type Dispatcher } from 'undici';
import { GraftError, notFound } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { isTaken } from '../../../platform/database/index.js';
import { checkUrl, guardedLookup } from './address.js';
import { newSecret, signatureOf } from './signature.js';
import { storedPayload, MOST_ATTEMPTS, waitAfter, type WebhookRecord } from './webhook.js';
import type { Due, WebhookStore } from './webhook-store.js';

interface WebhookParts {
  webhooks: WebhookStore;
  /** Hosts that may be called though their addresses are not public. */
  allowedHosts: readonly string[];
  /** How long a receiver may take, in ms. */
  timeoutMs?: number;
  now?: () => number;
}

const MOST_WEBHOOKS = 20;
const TAKEN_AT_ONCE = 8;
const TIMEOUT_MS = 10_000;
const KEPT_DAYS = 30;
const RANDOM_STEPS = 1_000;

/**
 * Tells webhooks of alerts: signed, at least once, with an id by which a receiver knows what it has heard before. Each delivery is
 * a row that any gateway may take; who dies with it loses it to the next after a while.
 */
export class WebhookService {
  readonly #agent: Dispatcher;
  readonly #timeoutMs: number;

  constructor(private readonly parts: WebhookParts) {
    this.#timeoutMs = parts.timeoutMs ?? TIMEOUT_MS;
    this.#agent = new Agent({
      connect: { lookup: guardedLookup(parts.allowedHosts), timeout: this.#timeoutMs },
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
      maxHeaderSize: 16_384,
    });
  }

  get store(): WebhookStore {
    return this.parts.webhooks;
  }

  /** @returns it and the secret, which is not shown again @throws BAD_USER_INPUT, ALREADY_EXISTS, CONFLICT */
  async add(workspaceId: WorkspaceId, url: string): Promise<{ webhook: WebhookRecord; secret: string }> {
    const { href } = checkUrl(url, this.parts.allowedHosts);
    if ((await this.store.count(workspaceId)) >= MOST_WEBHOOKS)
      throw new GraftError('CONFLICT', `There are ${MOST_WEBHOOKS} webhooks already.`, { hint: 'Delete one first.' });
    const secret = newSecret();
    const webhook = await this.store.add(workspaceId, href, secret).catch((error: unknown) => {
      throw isTaken(error)
        ? new GraftError('ALREADY_EXISTS', 'There is a webhook of this URL.', { field: 'input.url', cause: error })
        : error;
    });
    return { webhook, secret };
  }

  /** @throws NOT_FOUND */
  async remove(workspaceId: WorkspaceId, id: string): Promise<WebhookRecord> {
    const webhook = (await this.store.byIds(workspaceId, [id])).get(id);
    if (!webhook || !(await this.store.remove(workspaceId, id))) throw notFound('The webhook', id, 'input.webhook');
    return webhook;
  }

  /** Tries what is due. @returns how many deliveries it tried */
  async deliver(): Promise<number> {
    const due = await this.store.take(TAKEN_AT_ONCE, (3 * this.#timeoutMs) / 1000);
    await Promise.all(due.map((delivery) => this.#try(delivery)));
    return due.length;
  }

  async forgetOld(): Promise<void> {
    await this.store.forget(KEPT_DAYS);
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  async #try(due: Due): Promise<void> {
    const outcome = await this.#send(due).catch((error: unknown) => whyOf(error));
    if (outcome === null) return this.store.settle(due, 'DELIVERED', 'delivered');
    const { attempts } = due;
    if (attempts >= MOST_ATTEMPTS) return this.store.settle(due, 'GIVEN_UP', outcome);
    const wait = waitAfter(attempts, randomInt(RANDOM_STEPS) / RANDOM_STEPS);
    return this.store.settle(due, 'WAITING', outcome, wait);
  }

  /** @returns null when it was heard, else why not */
  async #send({ id, url, secret, payload }: Due): Promise<string | null> {
    // What is allowed may have changed since; an address in place of a name is resolved by nobody.
    checkUrl(url, this.parts.allowedHosts);
    const body = JSON.stringify(storedPayload.encode(payload));
    const timestamp = Math.floor((this.parts.now ?? Date.now)() / 1000);
    const { statusCode, body: responseBody } = await request(url, {
      method: 'POST',
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(this.#timeoutMs),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'graft',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureOf(secret, { id, timestamp, body }),
      },
      body,
    });
    // Redirects are not followed, and what it says is not read.
    await responseBody.dump({ limit: 65_536 }).catch(() => undefined);
    return statusCode >= 200 && statusCode < 300 ? null : `it answered ${statusCode}`;
  }
}

/** Why a try failed, in words of ours: messages of libraries may quote what they were given. */
function whyOf(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: string; cause?: { name?: string } };
  if (name === 'AddressRefused' || cause?.name === 'AddressRefused') return 'its name leads to a private address';
  if (name === 'GraftError') return 'its URL is not allowed';
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT')
    return 'it took too long';
  return `no connection${code === undefined ? '' : ` (${code})`}`;
}
