import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import { sha256 } from '../../../kernel/hashing.js';
import { openEmbedderTokens } from '../../../worker-protocol/embedder-tokens.js';
import { chunkDocument, type ChunkReader } from '../chunking/chunk.js';
import type { ParseReply, ParseRequest } from './parse-protocol.js';
import { parseDocument } from './parse.js';

/** The thread of the parsing process that does the work and may hang, overflow or run out of memory. */
const port = parentPort;
if (port === null) throw new Error('parse-thread is started by parse-process');

port.on('message', (request: ParseRequest) => {
  void answer(request).then((reply) => port.postMessage(reply));
});

/** The reader of the document before: ingestions rarely change it. */
let known: { key: string; reader: ChunkReader } | undefined;

async function readerOf(embedder: ParseRequest['reader']): Promise<ChunkReader | null> {
  if (embedder === null) return null;
  const { tokenizerPath, maxTokens } = embedder;
  const key = `${maxTokens} ${tokenizerPath}`;
  if (known?.key !== key) {
    const tokensOf = await openEmbedderTokens(tokenizerPath, maxTokens);
    known = { key, reader: { tokens: (text) => tokensOf(text).ids.length, most: maxTokens } };
  }
  return known.reader;
}

async function answer({ path, sha256: expected, claim, reader }: ParseRequest): Promise<ParseReply> {
  try {
    const bytes = await readFile(path);
    if (sha256(bytes) !== expected)
      throw new GraftError('STORAGE_FAILED', 'The stored file is damaged: upload it again.');
    const document = await parseDocument(bytes, claim);
    return { ok: true, document, chunks: chunkDocument(document, await readerOf(reader)) };
  } catch (error) {
    if (isGraftError(error)) return { ok: false, code: error.code, message: error.message, hint: error.hint };
    return { ok: false, code: 'STORAGE_FAILED', message: 'The stored file could not be read.', hint: undefined };
  }
}
