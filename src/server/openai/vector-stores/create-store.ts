/** A vector store is made as a collection, with the files that it begins with. */
import type { Caller } from '../../../kernel/caller.js';
import { isGraftError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/ids.js';
import { fieldsOf, nameFrom, note, optionalNotes, optionalText, refuseOthers } from '../fields.js';
import { attachedFiles, ingestFiles, listOfIds } from './files.js';
import { namedIn, storeById, storeIdOf, type StoreParts } from './stores.js';

/** Of a collection's name, which leaves room for what tells two of one name apart. */
const LONGEST_NAME = 50;

/** @throws RefusedField, NOT_FOUND for a file; no store is made then */
export async function createStore(parts: StoreParts, caller: Caller, body: unknown, key: string | null) {
  const fields = fieldsOf(body ?? {});
  refuseOthers(fields, ['name', 'description', 'file_ids', 'metadata'], {
    chunking_strategy: [{ type: 'auto' }],
    expires_after: [],
  });
  const { workspaceId } = caller;
  const name = namedIn(fields);
  const metadata = optionalNotes(fields, 'metadata', note) ?? {};
  const description = optionalText(fields, 'description');
  const ids = fields['file_ids'] == null ? [] : listOfIds(fields, 'file_ids');
  const files = await attachedFiles(
    parts,
    caller,
    ids.map((id) => ({ id, attributes: {} })),
    'file_ids',
  );
  const { service } = parts.knowledge;
  const make = (called: string) => service.createCollection({ workspaceId, name: called, description });
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
