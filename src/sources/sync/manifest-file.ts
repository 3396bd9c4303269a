import { createInterface } from 'node:readline';
import { badInput, GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { FileService } from '../../platform/artifacts/index.js';
import { itemLine, MANIFEST_LIMITS, type NewItem } from './manifest.js';

/** Bytes of a manifest that comes as a file. */
const MOST_BYTES = 32 * 1024 * 1024;

/** The items of an uploaded file, a JSON object a line. @throws NOT_FOUND, PAYLOAD_TOO_LARGE, BAD_USER_INPUT for a line that is no item */
export async function itemsOfFile(files: FileService, workspaceId: WorkspaceId, id: string): Promise<NewItem[]> {
  const file = await files.open(workspaceId, id);
  if (file.bytes > MOST_BYTES)
    throw new GraftError('PAYLOAD_TOO_LARGE', `The list has ${file.bytes} bytes; at most ${MOST_BYTES} are read.`, {
      field: 'input.manifest',
      hint: 'Make several sources, each of a part.',
    });
  const items: NewItem[] = [];
  let number = 0;
  for await (const line of createInterface({ input: await file.content() })) {
    number += 1;
    if (line.trim() === '') continue;
    items.push(itemOf(line, number));
    // What is one too many is refused with the others.
    if (items.length > MANIFEST_LIMITS.items) break;
  }
  return items;
}

function itemOf(line: string, number: number): NewItem {
  try {
    return itemLine.parse(JSON.parse(line));
  } catch {
    throw badInput(
      'input.manifest',
      `Line ${number} of the list is no item.`,
      'Each line is a JSON object: {"path": …, "sha256": …}.',
    );
  }
}
