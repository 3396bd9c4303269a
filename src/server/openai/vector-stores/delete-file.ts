/** A file of `/v1` goes with the documents that vector stores made of it, or stays with all of them. */
import type { Caller, Groups } from '../../../kernel/caller.js';
import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { StoredFileRow } from '../../../platform/artifacts/index.js';
import { requireFile } from '../files.js';
import type { FileDocument } from './rows.js';
import type { StoreParts } from './stores.js';

/** Why a file stays even without its own documents; undefined where it may go. */
async function otherReason(
  { erasure, knowledge }: StoreParts,
  row: StoredFileRow,
  { groups, documents }: { groups: Groups; documents: readonly FileDocument[] },
): Promise<string | undefined> {
  const reasons = await erasure.reasonsToKeep(row, groups);
  if (reasons.length === 0) return undefined;
  const awaited = await knowledge.service.parts.inputs.awaited(row.workspaceId as WorkspaceId, [row.sha256]);
  if (awaited.length > 0) return 'An ingestion that has not ended will read it.';
  if (documents.some(({ isOwn }) => !isOwn))
    return 'A document was made of it over GraphQL: delete that document there.';
  // One reason may be the file's own documents: it names one of them.
  return reasons.find((reason) => !documents.some(({ name }) => reason.includes(name)));
}

/**
 * Deletes a file, and the documents that were made of it in vector stores.
 * @throws NOT_FOUND, CONFLICT where something else needs it, or the caller doesn't see one of these documents
 */
export async function deleteFile(parts: StoreParts, caller: Caller, id: string) {
  const { workspaceId, groups } = caller;
  const row = await requireFile(parts, caller, id);
  const documents = await parts.stores.documentsOf(row, groups);
  const ownDocuments = documents.filter(({ isOwn }) => isOwn);
  if (ownDocuments.some(({ isSeen }) => !isSeen)) throw fileStays('A document was made of it that you may not see.');
  const reason = await otherReason(parts, row, { groups, documents });
  if (reason !== undefined) throw fileStays(reason);
  for (const { collection, name } of ownDocuments)
    await parts.knowledge.service.deleteDocuments(caller, { collection, names: [name] });
  const { keptFiles } = await parts.erasure.eraseFile(workspaceId, row.id, groups, { copiesSuffice: true });
  const [keptFile] = keptFiles;
  if (keptFile) throw fileStays(keptFile.reason);
  return { id, object: 'file', deleted: true };
}

const fileStays = (reason: string): GraftError =>
  new GraftError('CONFLICT', `The file stays: ${reason}`, { field: 'file_id' });
