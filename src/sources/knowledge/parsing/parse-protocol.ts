import type { ErrorCode } from '../../../kernel/error-codes.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import type { DraftChunk } from '../chunking/chunk.js';
import type { DocumentClaim, ParsedDocument } from './document.js';

/** What is to be known of an embedder to cut by its tokens. */
export type EmbedderReader = Pick<EmbedderFiles, 'tokenizerPath' | 'maxTokens'>;

/** One document. The file is named by its path, so that its bytes cross no boundary. */
export interface ParseRequest {
  path: string;
  /** Of the file: what has another one is damaged. */
  sha256: string;
  claim: DocumentClaim;
  /** What embeds its chunks, by whose tokens they are cut; null: by their length alone. */
  reader: EmbedderReader | null;
}

/** Chunking happens here too: on megabytes of text it would hold up the gateway's other requests. */
export interface ParsedAndCut {
  document: ParsedDocument;
  chunks: DraftChunk[];
}

/** What the parsing process does. */
export interface ParseTask {
  input: ParseRequest;
  output: ParsedAndCut;
}

/** From the process's thread. */
export type ParseReply =
  ({ ok: true } & ParsedAndCut) | { ok: false; code: ErrorCode; message: string; hint: string | undefined };
