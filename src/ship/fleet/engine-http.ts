import { fetch, type Response } from 'undici';
import { HTTP, startWithin } from '../../platform/tracing/index.js';
import { EngineFault, type FaultKind } from './fault.js';
import { dataOf } from './server-sent-events.js';

interface EngineCallOptions {
  /** Ends the call; one that is out of time (`AbortSignal.timeout`) makes it a SLOW engine. */
  signal?: AbortSignal;
}

/** A list of models or the scores of a label set are far smaller. */
const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST_REASON = 400;

/** One engine's HTTP. Aborting a call closes its connection, by which the engine stops working on it. */
export class EngineHttp {
  constructor(
    readonly url: string,
    private readonly key: string | null = null,
  ) {}

  /** The JSON that comes back; null for an empty body. @throws EngineFault, and the signal's reason */
  async json(method: 'GET' | 'POST', path: string, body?: object, options: EngineCallOptions = {}): Promise<unknown> {
    const response = await this.#send(method, path, body, options);
    const text = await this.#read(response, options.signal);
    if (!response.ok) throw faultOf(response.status, text);
    if (text === '') return null;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // Loading an adapter is answered by a sentence.
      return text;
    }
  }

  /** What each event of a stream holds, `[DONE]` left out. @throws EngineFault, and the signal's reason */
  async *events(path: string, body: object, signal: AbortSignal): AsyncGenerator<unknown, void> {
    const response = await this.#send('POST', path, body, { signal });
    if (!response.ok) throw faultOf(response.status, await this.#read(response, signal));
    try {
      for await (const data of dataOf(response.body)) {
        if (data === '[DONE]') return;
        yield parsed(data);
      }
    } catch (error) {
      throw this.#broken(error, signal);
    }
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    { signal }: EngineCallOptions,
  ): Promise<Response> {
    const { hostname, port, protocol } = new URL(this.url);
    const span = startWithin(`${method} ${path}`, {
      kind: 'client',
      attributes: {
        [HTTP.METHOD]: method,
        [HTTP.SERVER]: hostname,
        [HTTP.PORT]: Number(port || (protocol === 'https:' ? 443 : 80)),
      },
    });
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(this.key !== null && { authorization: `Bearer ${this.key}` }),
          ...(span.traceparent !== null && { traceparent: span.traceparent }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        ...(signal && { signal }),
      });
      span.set({ [HTTP.STATUS]: response.status });
      // A body that streams is part of what asked for it.
      span.end(response.ok ? undefined : `${response.status}`);
      return response;
    } catch (error) {
      span.end(error);
      if (signal?.aborted) throw endedBy(signal);
      throw new EngineFault('AWAY', `it can’t be reached (${causeOf(error)})`, { cause: error });
    }
  }

  async #read(response: Response, signal: AbortSignal | undefined): Promise<string> {
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const part of response.body ?? []) {
        parts.push(Buffer.from(part as Uint8Array));
        bytes += parts.at(-1)!.length;
        if (bytes > MOST_BYTES) throw new EngineFault('BROKEN', `its answer has more than ${MOST_BYTES} bytes`);
      }
    } catch (error) {
      throw this.#broken(error, signal);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  #broken(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return endedBy(signal);
    if (error instanceof EngineFault) return error;
    return new EngineFault('BROKEN', `it broke off in the middle of an answer (${causeOf(error)})`, { cause: error });
  }
}

/** Why a call was ended: of one that ran out of time, that the engine is slow. */
function endedBy({ reason }: AbortSignal): unknown {
  if ((reason as { name?: unknown } | null)?.name !== 'TimeoutError') return reason;
  return new EngineFault('SLOW', 'it didn’t answer in the time that it had', { cause: reason });
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch (error) {
    throw new EngineFault('BROKEN', 'an event of its stream is no JSON', { cause: error });
  }
}

/** What a status means, be it an answer's own or one that an event of a stream tells. @param text JSON, or words */
export function faultOf(status: number, text: string): EngineFault {
  const kind: FaultKind =
    status === 404 ? 'UNKNOWN_MODEL' : status === 429 || status === 503 ? 'BUSY' : status >= 500 ? 'BROKEN' : 'REFUSED';
  return new EngineFault(kind, `it answers ${status}: ${reasonIn(text).slice(0, LONGEST_REASON)}`);
}

/** What it says is wrong, as vLLM and SGLang word it. */
function reasonIn(text: string): string {
  try {
    const body = JSON.parse(text) as { error?: { message?: unknown }; message?: unknown; error_message?: unknown };
    const reason = body.error?.message ?? body.message ?? body.error_message;
    return typeof reason === 'string' ? reason : text;
  } catch {
    return text;
  }
}

/** `ECONNREFUSED`, where there is one: what fetch itself says is that it failed. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.message : String(error);
}
