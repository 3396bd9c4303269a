import { once } from 'node:events';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { Readable } from 'node:stream';

/** Answers that have no body, which `Response` insists on. */
const BODILESS = [204, 205, 304];

/**
 * The part of `fetch` that an S3 client needs, over node:http: undici 7 ends the process with an assertion that nobody can
 * catch when a server closes a connection whose answer is still being read (nodejs/undici#5360).
 * @param silenceMs how long the server may say nothing, before its answer and between its pieces
 */
export const plainFetch =
  (silenceMs: number): typeof fetch =>
  async (input, init = {}) => {
    const body = await bytesOf(init.body);
    const headers: Record<string, string> = {};
    new Headers(init.headers).forEach((value, name) => (headers[name] = value));
    const url = new URL(input instanceof Request ? input.url : input);
    const outgoing = (url.protocol === 'https:' ? requestSecure : requestPlain)(url, {
      method: init.method ?? 'GET',
      headers,
      timeout: silenceMs,
    });
    // Behind the answer, its own stream tells.
    outgoing.on('error', () => undefined);
    outgoing.once('timeout', () => outgoing.destroy(new Error(`The server was silent for ${silenceMs} ms.`)));
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const { statusCode: status = 0 } = answer;
    const pairs = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
    if (init.method !== 'HEAD' && !BODILESS.includes(status))
      return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers: pairs });
    answer.resume();
    return new Response(null, { status, headers: pairs });
  };

async function bytesOf(body: BodyInit | null | undefined): Promise<Uint8Array | string> {
  if (typeof body === 'string') return body;
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return new Uint8Array(await new Response(body).arrayBuffer());
}
