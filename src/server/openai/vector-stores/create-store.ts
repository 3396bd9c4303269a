/** A vector store is made as a collection, with the files that it begins with. */
import { z } from 'zod';
import type { Caller } from '../../../kernel/caller.js';
import { isGraftError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/ids.js';
import { idsOf, nameFrom, optionalObjectOf } from '../fields.js';
import { attachedFiles, chunking, ingestFiles, MOST_FILES } from './files.js';
import { described, storeById, storeIdOf, type StoreParts } from './stores.js';

/** Of a collection's name, which leaves room for what tells two of one name apart. */
const LONGEST_NAME = 50;

/** A body of `POST /v1/vector_stores`. */
export const newStore = optionalObjectOf({
  ...described,
  description: z.string().optional(),
  file_ids: idsOf(MOST_FILES).optional(),
  chunking_strategy: chunking,
});

/** @throws RefusedField, NOT_FOUND for a file; no store is made then */
export async function createStore(
  parts: StoreParts,
  caller: Caller,
  { name, metadata = {}, description, file_ids: ids = [] }: z.output<typeof newStore>,
  key: string | null,
) {
  const { workspaceId } = caller;
  const files = await attachedFiles(
    parts,
    caller,
    ids.map((id) => ({ id, attributes: {} })),
    'file_ids',
  );
  const { service } = parts.knowledge;
  const make = (called: string) =>
    service.createCollection({ workspaceId, name: called, description: description ?? null });
  const called = nameFrom(name ?? '').slice(0, LONGEST_NAME) || `store-${newId().slice(-12)}`;
  const collection = await make(called).catch((error: unknown) => {
    if (!isGraftError(error, 'ALREADY_EXISTS')) throw error;
    return make(`${called}-${newId().slice(-12)}`);
  });
  try {
    await parts.stores.describe(workspaceId, collection.id, { name: name || collection.name, metadata });
    if (files.length > 0) await ingestFiles(parts, caller, { collection, files, key });
  } catch (error) {
    await service.deleteCollection(caller, collection.name);
    throw error;
  }
  return storeById(parts, caller, storeIdOf(collection.id));
}
