import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { SignalSource } from '../../kit/graphql/index.js';

const prefix = randomBytes(6).toString('base64url');
let count = 0;

/** A short id, unique among all gateways; or the caller's own `x-request-id` where it is a harmless word. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const header = headers['x-request-id'];
  if (typeof header === 'string' && /^[\w.:-]{1,64}$/.test(header)) return header;
  count += 1;
  return `${prefix}-${count.toString(36)}`;
}

/** Aborts when the client goes away before its response is complete. */
export class ResponseLifetime implements SignalSource {
  #controller: AbortController | undefined;

  constructor(private readonly response: ServerResponse) {}

  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    const { response } = this;
    if (response.destroyed) controller.abort();
    else
      response.once('close', () => {
        if (!response.writableFinished) controller.abort();
      });
    return controller.signal;
  }
}
