import { z } from 'zod';
import { record, string, oneOf, int } from '../../../kernel/record.js';
import { runError } from '../../../kernel/run-error.js';
import { anyJson, storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
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

const ingestionInput = z.object({
  collectionId: z.string(),
  documents: z.array(documentJob),
  /** Of whoever asked for it; missing where it was somebody who sees everything, and in what earlier versions stored. */
  groups: z.array(z.string()).optional(),
});

export const documentReport = record('IngestedDocument', 'What became of one document of an ingestion.', {
  name: string('Its name.'),
  outcome: oneOf(DocumentOutcome, 'What became of it.'),
  documentId: z.string().nullable(),
  chunks: int('Number of its chunks; 0 when it failed.'),
  notes: z.array(z.string()).describe('What you should know about the reading, e.g. an encoding that was guessed.'),
  error: runError.nullable().describe('Why it failed; null unless `outcome` is `FAILED`.'),
});
export type DocumentReport = z.infer<typeof documentReport>;

/** The documents that are done: the output, and with one in the middle what an interrupted run goes on from. */
const ingestionReport = z.object({ documents: z.array(documentReport) });
export type IngestionReport = z.infer<typeof ingestionReport>;

/** A long document whose chunks are stored, and of which some may have their vectors: an interrupted run goes on in the middle of it. */
const stagedDocument = z.object({
  name: z.string(),
  documentId: z.string(),
  /** What cut it; once that is another, it is cut anew. */
  cutBy: z.string(),
  /** The live document that it is to replace. */
  replaces: z.string().nullable(),
  kept: z.array(
    z.object({ id: z.string(), ordinal: z.number(), start: z.number(), end: z.number(), page: z.number().nullable() }),
  ),
  keptCut: z.number(),
  notes: z.array(z.string()),
});
export type StagedDocument = z.infer<typeof stagedDocument>;

/** How far one document is: `share` of it, 0..1, and its report once it is done. */
const documentProgress = z.object({
  /** Missing in what earlier versions told. */
  collectionId: z.string().optional(),
  document: z.string(),
  share: z.number(),
  report: documentReport.optional(),
});
export type DocumentProgress = z.infer<typeof documentProgress>;

export const ingestion = defineRunKind({
  kind: 'INGESTION',
  description: 'Documents are parsed, cut into chunks, embedded and indexed.',
  subject: 'Collection',
  input: storedJson(ingestionInput),
  output: storedJson(ingestionReport),
  checkpoint: storedJson(ingestionReport.extend({ staged: stagedDocument.optional() })),
  events: { progress: storedJson(documentProgress) },
  pausable: true,
  failures: ({ documents }) => documents.filter(({ outcome }) => outcome === 'FAILED').length,
});
export type IngestionContext = ContextOf<typeof ingestion>;
