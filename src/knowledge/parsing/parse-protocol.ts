import type { ErrorCode } from '../../kernel/error-codes.js';
import type { DraftChunk } from '../chunking/chunk.js';
import type { DocumentClaim, ParsedDocument } from './document.js';

/** Gateway to parsing process: one document. The file is named by its path, so that its bytes cross no boundary. */
export interface ParseRequest {
  id: number;
  path: string;
  /** Of the file: what has another one is damaged. */
  sha256: string;
  claim: DocumentClaim;
}

/** Chunking happens here too: on megabytes of text it would hold up the gateway's other requests. */
export interface ParsedAndCut {
  document: ParsedDocument;
  chunks: DraftChunk[];
}

/** The answer to the request of the same id. */
export type ParseReply =
  | ({ id: number; ok: true } & ParsedAndCut)
  | { id: number; ok: false; code: ErrorCode; message: string; hint: string | undefined };

/** Exit status by which the parsing process says that a document exceeded its memory. */
export const OUT_OF_MEMORY = 77;
