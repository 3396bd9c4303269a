import { z } from 'zod';
import { badInput } from '../../kernel/errors.js';
import { checkedGroups } from '../../kernel/groups.js';
import { isSha256 } from '../../kernel/hashing.js';
import { date, float, record, string } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import { checkedText } from '../../kernel/text.js';
import { checkedDocumentName, INGESTION_LIMITS } from '../knowledge/index.js';

/** Bounds that are checked before anything is looked at. */
export const MANIFEST_LIMITS = { items: 20_000, inlineItems: 5_000, path: 1_000, reason: 500 };

/** The access of what nobody sees: no key and no token can have a group without a name. */
export const NOBODY = '';

/** One thing that a source has, as a client lists it. */
export const newItem = record('SourceItemInput', 'One thing that a source has.', {
  path: string('Where it lies in the source, which is the document’s name: at most 200 characters, with `/`.'),
  sha256: string(
    'SHA-256 of its bytes, 64 hexadecimal digits. With it Graft knows by itself whether it has the document.',
  ).nullish(),
  etag: string(
    'What changes with its content, where the digest isn’t known; at most 200 characters. Needed without `sha256`.',
  ).nullish(),
  bytes: float('Its size in bytes; one of more than 64 MiB counts as failed.').nullish(),
  modifiedAt: date('When it was changed last, in the source.').nullish(),
  access: z
    .array(z.string())
    .max(100)
    .nullish()
    .describe(
      'Groups, at most 100: who sees it has one of them. Without any nobody sees it. For sources that are `labelled` only.',
    ),
  unreadable: string(
    'Why the source could not read it, at most 500 characters: then it counts as failed, and an earlier version stays.',
  ).nullish(),
});
export type NewItem = z.infer<typeof newItem>;

/** A line of a manifest that comes as a file. */
export const itemLine = z.object({ ...newItem.shape, modifiedAt: z.coerce.date().nullish() });

const item = z.object({
  path: z.string(),
  sha256: z.string().nullable(),
  etag: z.string().nullable(),
  /** ISO 8601. */
  modifiedAt: z.string().nullable(),
  access: z.array(z.string()),
  /** Why it is no document, whatever its bytes are; and whether it could not be read alone, so that an earlier version stays. */
  problem: z.string().nullable(),
  unreadable: z.boolean(),
});
/** The same, checked. */
export type Item = z.infer<typeof item>;

export const storedManifest = storedJson(z.array(item));

/** @throws BAD_USER_INPUT for what a client got wrong; what is wrong with a file becomes its `problem` */
export function checkedItems(items: readonly NewItem[], labelled: boolean): Item[] {
  if (items.length > MANIFEST_LIMITS.items)
    throw badInput(
      'input.items',
      `${items.length} items were listed; at most ${MANIFEST_LIMITS.items} are taken.`,
      'Make several sources, each of a part.',
    );
  const paths = new Set<string>();
  return items.map((raw, index) => {
    const field = `input.items.${index}`;
    const checkedItem = checked(raw, labelled, field);
    if (paths.has(checkedItem.path))
      throw badInput(`${field}.path`, `The path ${JSON.stringify(checkedItem.path)} occurs twice.`);
    paths.add(checkedItem.path);
    return checkedItem;
  });
}

function checked(raw: NewItem, labelled: boolean, field: string): Item {
  const path = checkedText(raw.path, `${field}.path`, MANIFEST_LIMITS.path);
  const name = nameOf(path);
  const sha256 = raw.sha256?.toLowerCase() ?? null;
  if (sha256 !== null && !isSha256(sha256))
    throw badInput(`${field}.sha256`, 'sha256 must have 64 hexadecimal digits.');
  const etag = raw.etag ? checkedText(raw.etag, `${field}.etag`, 200) : null;
  const access = checkedGroups(raw.access ?? [], `${field}.access`);
  if (access.length > 0 && !labelled)
    throw badInput(
      `${field}.access`,
      'The source doesn’t say who may see its items.',
      'Make one with `labelled: true`, or leave out `access`.',
    );
  const reason = raw.unreadable ? checkedText(raw.unreadable, `${field}.unreadable`, MANIFEST_LIMITS.reason) : null;
  const problem = faultOf(name, raw.bytes ?? 0) ?? reason;
  if (problem === null && sha256 === null && etag === null)
    throw badInput(
      field,
      `${JSON.stringify(path)} has neither sha256 nor etag, so nobody can tell whether it changed.`,
    );
  const modifiedAt = raw.modifiedAt?.toISOString() ?? null;
  return {
    path: name ?? path,
    sha256,
    etag,
    modifiedAt,
    access,
    problem,
    unreadable: problem !== null && problem === reason,
  };
}

function faultOf(name: string | null, bytes: number): string | null {
  if (name === null)
    return `Its path can’t name a document: that has 1 to ${INGESTION_LIMITS.name} characters on one line, all of which can be seen.`;
  if (bytes > INGESTION_LIMITS.fileBytes)
    return `It has ${bytes} bytes; a document has at most ${INGESTION_LIMITS.fileBytes}.`;
  return null;
}

function nameOf(path: string): string | null {
  try {
    return checkedDocumentName(path, 'path');
  } catch {
    return null;
  }
}

/** What is known of an item that a source listed before, or lists now. */
export interface KnownItem {
  path: string;
  /** Of the version that was committed, or that failed; null where none was. */
  sha256: string | null;
  etag: string | null;
  /** Why that version is no document, and whether it never will be one. */
  failure: string | null;
  lasting: boolean;
  /** Digest of the document that search sees under the path. */
  live: string | null;
  /** Whether that was there before the source listed the path, which no commit has taken over. */
  foreign: boolean;
  /** Groups of that name; null where everybody sees it. */
  access: readonly string[] | null;
}

export interface Comparison {
  new: Item[];
  changed: Item[];
  unchanged: Item[];
  /** What can't be a document: its reason is known already. */
  failed: Item[];
  /** Those of the unchanged ones of which other people may see them now. */
  relabelled: Item[];
  gone: KnownItem[];
}

/**
 * What a manifest changes. Every item is one of new, changed, unchanged and failed; gone is what it doesn't list any more.
 * @param knownItems all that the source listed before; items that aren't among them are new
 */
export function compare(
  knownItems: readonly KnownItem[],
  items: readonly Item[],
  { labelled = false }: { labelled?: boolean } = {},
): Comparison {
  const knownByPath = new Map(knownItems.map((knownItem) => [knownItem.path, knownItem]));
  const result: Comparison = { new: [], changed: [], unchanged: [], failed: [], relabelled: [], gone: [] };
  for (const listedItem of items) {
    const knownItem = knownByPath.get(listedItem.path);
    knownByPath.delete(listedItem.path);
    const kind = kindOf(listedItem, knownItem);
    result[kind].push(listedItem);
    if (labelled && kind === 'unchanged' && !sameGroups(knownItem?.access, accessOf(listedItem)))
      result.relabelled.push(listedItem);
  }
  result.gone = [...knownByPath.values()];
  return result;
}

function kindOf(listedItem: Item, knownItem?: KnownItem): 'new' | 'changed' | 'unchanged' | 'failed' {
  if (listedItem.problem !== null) return 'failed';
  if (knownItem === undefined) return 'new';
  const isSame = isSameVersion(listedItem, knownItem);
  const { live } = knownItem;
  if (live !== null && live === (listedItem.sha256 ?? (isSame ? knownItem.sha256 : null))) return 'unchanged';
  if (knownItem.lasting && isSame) return 'failed';
  return live === null ? 'new' : 'changed';
}

const isSameVersion = (listedItem: Item, knownItem: KnownItem): boolean =>
  listedItem.sha256 === null ? listedItem.etag === knownItem.etag : listedItem.sha256 === knownItem.sha256;

/** The groups under which an item of a labelled source is stored. */
export const accessOf = ({ access }: Pick<Item, 'access'>): string[] => (access.length === 0 ? [NOBODY] : access);

/** Who may see an old and a new version under one name: who may see either. */
export function narrowed(oldAccess: readonly string[] | null, newAccess: readonly string[]): string[] {
  const common = oldAccess === null ? newAccess : newAccess.filter((group) => oldAccess.includes(group));
  return common.length === 0 ? [NOBODY] : [...common];
}

const sameGroups = (oldAccess: readonly string[] | null | undefined, newAccess: readonly string[]): boolean =>
  oldAccess?.length === newAccess.length && newAccess.every((group) => oldAccess.includes(group));
