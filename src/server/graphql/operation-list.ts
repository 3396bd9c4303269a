import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kind, parse, print, visit, type DocumentNode, type GraphQLSchema } from 'graphql';
import { z } from 'zod';
import { sha256 } from '../../kernel/hashing.js';
import { GraftError } from '../../kernel/errors.js';
import { followDocument, RUN_STATE, RUN_TYPE } from '../../client/operations/following.js';
import { packageRoot } from '../../platform/package-root.js';
import { counts, type Logger } from '../../platform/telemetry/index.js';

const MOST_OPERATIONS = 10_000;

/** https://www.apollographql.com/docs/graphos/platform/security/persisted-queries: what Apollo's generators write for clients. */
const manifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string().min(1).max(200), body: z.string() })),
});

/** How Apollo's clients name an operation in place of its text. */
const named = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) });

const unlisted = counts('graft_unlisted_operations_total', 'Operations that are not listed, by what was done.', [
  'done',
]);

/**
 * One text for a document, however it is laid out: without comments and descriptions, fragments in the order of their names, and without `__typename`, which
 * clients with a cache add everywhere. A selection of nothing else keeps it.
 */
function plain(document: DocumentNode): string {
  const stripped: DocumentNode = visit(document, {
    SelectionSet: (node) => {
      const dataSelections = node.selections.filter(
        (selection) => selection.kind !== Kind.FIELD || selection.name.value !== '__typename',
      );
      return dataSelections.length === 0 || dataSelections.length === node.selections.length
        ? undefined
        : { ...node, selections: dataSelections };
    },
    StringValue: (node, key) => (key === 'description' ? null : undefined),
  });
  return stripped.definitions.map(print).sort().join('\n');
}

type ListMode = 'audit' | 'enforce';

/** The operations that a gateway answers. */
export class OperationList {
  readonly #digests = new Set<string>();
  readonly #bodies = new Map<string, string>();

  constructor(
    readonly mode: ListMode,
    private readonly log: Logger,
  ) {}

  get size(): number {
    return this.#digests.size;
  }

  /** @param id what clients may send in its place, beside the SHA-256 of its text @throws GraphQLError for what is no document */
  add(body: string, id?: string): void {
    this.#digests.add(sha256(plain(parse(body, { noLocation: true }))));
    this.#bodies.set(sha256(body), body);
    if (id !== undefined) this.#bodies.set(id.toLowerCase(), body);
  }

  has(document: DocumentNode): boolean {
    return this.#digests.has(sha256(plain(document)));
  }

  /** @throws OPERATION_NOT_LISTED where listed operations only are answered */
  refuse(name: string | undefined): void {
    unlisted({ done: this.mode === 'enforce' ? 'refused' : 'answered' }, 1);
    this.log.warn({ name, mode: this.mode }, 'operation is not listed');
    if (this.mode === 'enforce')
      throw new GraftError(
        'OPERATION_NOT_LISTED',
        'This gateway answers listed operations only; this is none of them.',
      );
  }

  /**
   * The text of the operation that the extensions name (`persistedQuery`); undefined where they name none.
   * @throws OPERATION_NOT_LISTED for one that isn't listed: nobody adds to the list by sending something
   */
  bodyOf(extensions: unknown): string | undefined {
    const id = named.safeParse(extensions).data?.persistedQuery.sha256Hash;
    if (id === undefined) return undefined;
    const body = this.#bodies.get(id.toLowerCase());
    if (body !== undefined) return body;
    throw new GraftError('OPERATION_NOT_LISTED', 'No listed operation has this hash.', {
      hint: 'Have it added to GRAFT_OPERATIONS_FOLDER: documents that are sent with their hash are not kept.',
    });
  }
}

/** Puts the text of a named operation into a request that names one, as it is then handled like every other. @throws OPERATION_NOT_LISTED */
export function nameToText(list: OperationList, request: unknown): void {
  if (typeof request !== 'object' || request === null) return;
  const body = request as { query?: unknown; extensions?: unknown };
  if (typeof body.query === 'string' && body.query !== '') return;
  const text = list.bodyOf(body.extensions);
  if (text === undefined) return;
  body.query = text;
  delete body.extensions;
}

interface ListSettings {
  GRAFT_OPERATIONS: 'off' | ListMode;
  GRAFT_OPERATIONS_FOLDER?: string | undefined;
}

/**
 * What Graft's own clients send and what lies in the folder.
 * @returns null where everything is answered
 * @throws SETUP_FAILED for a file that can't be read as operations
 */
export function loadOperationList(
  { GRAFT_OPERATIONS: mode, GRAFT_OPERATIONS_FOLDER: folder }: ListSettings,
  schema: GraphQLSchema,
  log: Logger,
): OperationList | null {
  if (mode === 'off') return null;
  const list = new OperationList(mode, log);
  addFile(list, join(packageRoot(), 'src', 'client', 'operations', 'generated', 'manifest.json'));
  for (const text of [RUN_TYPE, RUN_STATE]) list.add(text);
  for (const { name, args } of Object.values(schema.getSubscriptionType()?.getFields() ?? {}))
    if (args.some((arg) => arg.name === 'runId')) list.add(followDocument(name));
  const builtInCount = list.size;
  if (folder !== undefined) for (const path of filesIn(folder)) addFile(list, path);
  log.info({ mode, own: builtInCount, added: list.size - builtInCount }, 'operations listed');
  return list;
}

function filesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    return names.filter((name) => /\.(graphql|json)$/.test(name)).map((name) => join(folder, name));
  } catch (cause) {
    throw new GraftError('SETUP_FAILED', `GRAFT_OPERATIONS_FOLDER ${folder} can’t be read.`, { cause });
  }
}

function addFile(list: OperationList, path: string): void {
  try {
    const text = readFileSync(path, 'utf8');
    if (path.endsWith('.graphql')) list.add(text);
    else for (const { id, body } of manifest.parse(JSON.parse(text)).operations) list.add(body, id);
  } catch (cause) {
    throw new GraftError('SETUP_FAILED', `${path} holds no operations: ${shortly(cause)}`, {
      cause,
      hint: 'A `.graphql` file holds a document, a `.json` file a manifest of persisted queries.',
    });
  }
  if (list.size > MOST_OPERATIONS)
    throw new GraftError('SETUP_FAILED', `More than ${MOST_OPERATIONS} operations are listed, with those of ${path}.`);
}

const shortly = (error: unknown): string => ((error as Error).message.split('\n')[0] ?? '').slice(0, 200);
