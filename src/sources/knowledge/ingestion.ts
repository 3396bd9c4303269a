import { choice } from '../../kernel/record.js';
import { badInput, GraftError } from '../../kernel/errors.js';
import type { Uuid } from '../../kernel/ids.js';
import type { Json } from '../../kernel/stored-json.js';
import { checkedText, UNSEEN } from '../../kernel/text.js';

/** Bounds that are checked before any work is accepted. */
export const INGESTION_LIMITS = {
  /** Documents per call. */
  documents: 100,
  /** UTF-16 units of one inline text, and of all inline texts of a call. */
  inlineText: 1_000_000,
  inlineTotal: 4_000_000,
  /** Bytes of one uploaded file. */
  fileBytes: 64 * 1024 * 1024,
  /** UTF-16 units of a document's metadata as JSON. */
  metadata: 10_000,
  /** Objects and lists inside each other in it: what copies them is recursive. */
  metadataDepth: 32,
  name: 200,
} as const;

/** A document to ingest: either `text`, or `fileId` of an uploaded file. */
export interface NewDocument {
  name: string;
  text?: string | null;
  fileId?: Uuid | null;
  mediaType?: string | null;
  metadata?: Json;
}

export const DocumentOutcome = choice('DocumentOutcome', 'What became of a document that was to be ingested.', {
  INDEXED: 'Search finds it.',
  UNCHANGED: 'The collection had it already, with the same bytes; its metadata was updated.',
  FAILED: 'It could not be read; an earlier document of its name stays.',
});
export type DocumentOutcome = keyof typeof DocumentOutcome;

/** @throws BAD_USER_INPUT when a bound is exceeded, a name occurs twice, or a document has not exactly one source */
export function checkedDocuments(documents: readonly NewDocument[]): NewDocument[] {
  const field = 'input.documents';
  if (documents.length === 0) throw badInput(field, 'documents is empty.');
  if (documents.length > INGESTION_LIMITS.documents)
    throw badInput(field, `${documents.length} documents were sent; at most ${INGESTION_LIMITS.documents} are taken.`);
  const names = new Set<string>();
  let total = 0;
  return documents.map((document, index) => {
    const path = `${field}.${index}`;
    const name = checkedDocumentName(document.name, `${path}.name`);
    if (names.has(name)) throw badInput(`${path}.name`, `The name ${JSON.stringify(name)} occurs twice.`);
    names.add(name);
    const { text = null, fileId = null } = document;
    if ((text === null) === (fileId === null))
      throw badInput(path, 'A document has either text or file, and one of them.');
    if (text !== null) total += checkedText(text, `${path}.text`, INGESTION_LIMITS.inlineText).length;
    if (total > INGESTION_LIMITS.inlineTotal)
      throw badInput(
        field,
        `The texts have more than ${INGESTION_LIMITS.inlineTotal} characters together.`,
        'Upload them with POST /files, or send them in several calls.',
      );
    return { ...document, name, metadata: checkedMetadata(document.metadata ?? {}, `${path}.metadata`) };
  });
}

/** Nobody replaces what is hidden from them. @param name left out by a run: its messages are read by who may not know the name */
export const unseenThere = (name?: string): GraftError =>
  new GraftError(
    'FORBIDDEN',
    `A document ${name === undefined ? 'of its name' : JSON.stringify(name)} is there, which you may not see.`,
    { field: 'input.documents', hint: 'Take another name, or a key of its group.' },
  );

/** 1 to 200 characters on one line; equal names in different Unicode forms are one. */
export function checkedDocumentName(value: string, field: string): string {
  const name = checkedText(value, field, INGESTION_LIMITS.name).normalize('NFC').trim();
  if (UNSEEN.test(name)) throw badInput(field, `${field} contains a character that can’t be seen.`);
  return name;
}

function checkedMetadata(metadata: Json, field: string): Json {
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata))
    throw badInput(field, `${field} must be an object.`);
  if (nesting(metadata) > INGESTION_LIMITS.metadataDepth)
    throw badInput(field, `${field} is nested more than ${INGESTION_LIMITS.metadataDepth} levels deep.`);
  checkedText(JSON.stringify(metadata), field, INGESTION_LIMITS.metadata);
  if (/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(metadata)))
    throw badInput(field, `${field} contains a NUL character or a lone surrogate.`);
  return metadata;
}

/** Levels of objects and lists, counted level by level: a client's nesting must not end our stack. */
function nesting(value: Json): number {
  let levels = 0;
  const containers = (values: readonly Json[]) => values.filter((item) => item !== null && typeof item === 'object');
  for (let level = containers([value]); level.length > 0; levels += 1)
    level = containers(level.flatMap((item) => Object.values(item as object) as Json[]));
  return levels;
}
