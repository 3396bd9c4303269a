import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { sha256 } from '../../kernel/hashing.js';
import { chunkDocument } from '../chunking/chunk.js';
import type { ParseReply, ParseRequest } from './parse-protocol.js';
import { parseDocument } from './parse.js';

/** The thread of the parsing process that does the work and may hang, overflow or run out of memory. */
const port = parentPort;
if (port === null) throw new Error('parse-thread is started by parse-process');

port.on('message', (request: ParseRequest) => {
  void answer(request).then((reply) => port.postMessage(reply));
});

async function answer({ path, sha256: expected, claim }: ParseRequest): Promise<ParseReply> {
  try {
    const bytes = await readFile(path);
    if (sha256(bytes) !== expected)
      throw new GraftError('STORAGE_FAILED', 'The stored file is damaged: upload it again.');
    const document = await parseDocument(bytes, claim);
    return { ok: true, document, chunks: chunkDocument(document) };
  } catch (error) {
    if (isGraftError(error)) return { ok: false, code: error.code, message: error.message, hint: error.hint };
    return { ok: false, code: 'STORAGE_FAILED', message: 'The stored file could not be read.', hint: undefined };
  }
}
