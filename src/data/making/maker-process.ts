/**
 * The process that makes dataset versions: it opens users' files with native code (DuckDB), which may crash or grow, and
 * works for minutes; in the gateway it would take the API with it or hold it up. It does the one task it is sent, and ends.
 */
import { setPriority } from 'node:os';
import { isGraftError } from '../../kernel/errors.js';
import { sniffFile } from '../importing/sniff.js';
import { makeVersion } from './make-version.js';
import type { MakerMessage, MakerReply, MakerTask } from './maker-protocol.js';

/** Below the gateway and the serve worker: answering questions comes first. */
const NICE = 10;

const waiting = new Map<number, (counts: number[] | null) => void>();
let nextId = 1;

const send = (reply: MakerReply): Promise<void> =>
  new Promise((resolve) => process.send!(reply, undefined, {}, () => resolve()));

async function countTokens(texts: string[]): Promise<number[]> {
  const id = nextId++;
  const counted = new Promise<number[] | null>((resolve) => waiting.set(id, resolve));
  await send({ kind: 'count', id, texts });
  // Four bytes a token is what the rule takes without a tokenizer.
  return (await counted) ?? texts.map((text) => Math.ceil(Buffer.byteLength(text) / 4));
}

async function work(task: MakerTask): Promise<void> {
  if (task.kind === 'sniff')
    return send({ kind: 'sniffed', shape: await sniffFile(task.file, task.folder, task.hints) });
  const version = await makeVersion(task.recipe, {
    folder: task.folder,
    parent: task.parent,
    countTokens: task.counts ? countTokens : null,
    signal: new AbortController().signal,
    progress: (fraction, message) => send({ kind: 'progress', fraction, message }),
  });
  return send({ kind: 'made', version });
}

process.on('message', (message: MakerMessage) => {
  if (message.kind === 'counted') {
    waiting.get(message.id)?.(message.counts);
    waiting.delete(message.id);
    return;
  }
  if (message.task.kind === 'make') setPriority(NICE);
  work(message.task)
    .catch((error: unknown) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return isGraftError(error)
        ? send({
            kind: 'failed',
            code: error.code,
            message: error.message,
            hint: error.hint,
            field: error.field,
            detail,
          })
        : send({ kind: 'failed', code: 'INTERNAL_ERROR', message: 'Something unexpected happened.', detail });
    })
    .finally(() => process.disconnect());
});
// The gateway is gone: what was made so far is of no use.
process.on('disconnect', () => process.exit(0));
