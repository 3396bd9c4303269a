/** What the documents of a collection are to clients of its vector store: files with names and attributes. */
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { StoredFileRow } from '../../../platform/artifacts/index.js';
import type { Fields } from '../fields.js';
import { FILE_KEY, namePrefix } from './rows.js';
import type { StoreParts } from './stores.js';

export type Attributes = Record<string, string | number | boolean>;

/** A document's name has at most 200 characters. */
const LONGEST_FILENAME = 150;

/** Two files of one name are two documents. */
export const documentNameOf = ({ id, name }: StoredFileRow): string =>
  `${namePrefix(id)}${name.slice(-LONGEST_FILENAME).toWellFormed()}`;

/** The file that a document was made of; undefined for one that came in another way. */
export function fileIdIn(name: string, metadata: Fields): string | undefined {
  const id = metadata[FILE_KEY];
  return typeof id === 'string' && name.startsWith(namePrefix(id)) ? id : undefined;
}

/** What a document's file is called. */
export const filenameOf = (name: string, metadata: Fields): string =>
  fileIdIn(name, metadata) === undefined ? name : name.slice(name.indexOf('/') + 1);

export const attributesOf = (metadata: Fields): Attributes =>
  Object.fromEntries(
    Object.entries(metadata).filter(
      (entry): entry is [string, Attributes[string]] =>
        entry[0] !== FILE_KEY && ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );

/** What the documents of these row ids are to clients. */
export async function filesOfDocuments(
  { knowledge }: Pick<StoreParts, 'knowledge'>,
  workspaceId: WorkspaceId,
  documentIds: readonly string[],
) {
  const rows = await knowledge.documents.byIds(workspaceId, [...new Set(documentIds)]);
  const metadataById = new Map(rows.map((row) => [row.id, (row.metadata ?? {}) as Fields]));
  return ({ documentId, documentName }: { documentId: string; documentName: string }) => {
    const metadata = metadataById.get(documentId) ?? {};
    return {
      file_id: fileIdIn(documentName, metadata) ?? `file-${documentId}`,
      filename: filenameOf(documentName, metadata),
      attributes: attributesOf(metadata),
    };
  };
}
