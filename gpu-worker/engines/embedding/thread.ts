// ONNX Runtime's `run` and the tokenizer block their thread, so they have one of their own: heartbeats and tokens go on.
import { parentPort, workerData } from 'node:worker_threads';
import type { EmbedderFiles } from '../../../src/worker-protocol/index.js';
import { Encoder, type TokenizedTexts } from './encoder.js';

export interface ThreadData {
  provider: string;
  threads: number;
}
export type ThreadRequest = { id: number; files: EmbedderFiles } & (
  { do: 'tokenize'; texts: string[] } | { do: 'encode'; ids: Int32Array; lengths: number[] }
);
export type ThreadReply = { id: number } & ({ value: TokenizedTexts | Float32Array } | { error: string });

const { provider, threads } = workerData as ThreadData;
let open: { key: string; encoder: Promise<Encoder> } | undefined;

/** One encoder is kept; an installation uses one, and changes it rarely. */
async function encoderFor(files: EmbedderFiles): Promise<Encoder> {
  const key = `${files.sha256} ${files.tokenizerSha256} ${files.maxTokens}`;
  if (open?.key !== key) {
    const old = await open?.encoder.catch(() => null);
    await old?.close();
    open = { key, encoder: Encoder.open(files, provider, threads) };
  }
  return open.encoder;
}

async function answer(request: ThreadRequest): Promise<void> {
  let reply: ThreadReply;
  let transfer: ArrayBuffer[] = [];
  try {
    const encoder = await encoderFor(request.files);
    const value = request.do === 'tokenize' ? encoder.tokenize(request.texts) : await encoder.encode(request);
    reply = { id: request.id, value };
    transfer = [(value instanceof Float32Array ? value : value.ids).buffer as ArrayBuffer];
  } catch (error) {
    open = undefined;
    reply = { id: request.id, error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply, transfer);
}

let last = Promise.resolve();
parentPort?.on('message', (request: ThreadRequest) => {
  last = last.then(() => answer(request));
});
