import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../../kernel/error-codes.js';
import { anyJson, storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { DocumentOutcome } from '../ingestion.js';

/** A document to ingest: its bytes are an artifact, so that the run survives a restart. */
const documentJob = z.object({
  name: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  mediaType: z.string().nullable(),
  metadata: anyJson,
});
export type DocumentJob = z.infer<typeof documentJob>;

const ingestionInput = z.object({ collectionId: z.string(), documents: z.array(documentJob) });

const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[];

/** What became of one document of a run. */
const documentReport = z.object({
  name: z.string(),
  outcome: z.enum(DocumentOutcome),
  documentId: z.string().nullable(),
  chunks: z.number(),
  /** What the user should know, e.g. the encoding that was assumed. */
  notes: z.array(z.string()),
  error: z.object({ code: z.enum(errorCodes), message: z.string() }).nullable(),
});
export type DocumentReport = z.infer<typeof documentReport>;

/** The documents that are done: the output, and what an interrupted run goes on from. */
const ingestionReport = z.object({ documents: z.array(documentReport) });
export type IngestionReport = z.infer<typeof ingestionReport>;

/** How far one document is: `share` of it, 0..1, and its report once it is done. */
const documentProgress = z.object({ document: z.string(), share: z.number(), report: documentReport.optional() });

export const ingestion = defineRunKind({
  kind: 'INGESTION',
  description: 'Documents are parsed, cut into chunks, embedded and indexed.',
  subject: 'Collection',
  input: storedJson(ingestionInput),
  output: storedJson(ingestionReport),
  checkpoint: storedJson(ingestionReport),
  events: { progress: storedJson(documentProgress) },
  pausable: true,
  failures: ({ documents }) => documents.filter(({ outcome }) => outcome === 'FAILED').length,
});
export type IngestionContext = ContextOf<typeof ingestion>;
