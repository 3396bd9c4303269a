import { shownFields, type ChangeValue } from '../../../kit/graphql/index.js';
import type { Role } from '../../../kernel/caller.js';
import { isUuid, type Uuid, type WorkspaceId } from '../../../kernel/ids.js';
import { anyJson, storedJson, type Json } from '../../../kernel/stored-json.js';
import { beginningOf, storable } from '../../../kernel/text.js';

/** Something that was changed, or was to be. */
export interface AuditRow {
  id: Uuid;
  workspaceId: WorkspaceId;
  who: string;
  keyId: Uuid | null;
  role: Role;
  what: string;
  requestId: string;
  subject: string | null;
  input: Json;
  before: Json | null;
  after: Json | null;
  /** `DONE` or an error code; null where the gateway went away meanwhile. */
  outcome: string | null;
  createdAt: Date;
}

/** How an entry's `input`, `before` and `after` are stored: each mutation has fields of its own, summarised. */
export const storedSummary = storedJson(anyJson);

/**
 * Texts of these fields are kept as they are: names of things, states and choices. Of every other text only its length is, because
 * it may be what people wrote, what documents say, or a secret.
 */
const KEPT: ReadonlySet<string> = new Set([
  'id',
  'ids',
  'runId',
  'fileId',
  'datasetVersion',
  'workspaceId',
  'keyId',
  'answerId',
  'adapterVersion',
  'name',
  'collection',
  'collections',
  'dataset',
  'adapter',
  'model',
  'view',
  'featureView',
  'alias',
  'key',
  'prefix',
  'role',
  'status',
  'kind',
  'mode',
  'task',
  'strategy',
  'window',
  'outcome',
  'version',
  'embedder',
  'idempotencyKey',
  'requestId',
  'target',
  'quantization',
  'format',
  'state',
  'stage',
  'policy',
  'rollout',
  'experiment',
  'arm',
  'metric',
  'signal',
  'priority',
  'changedBy',
  'decidedBy',
  'language',
  'source',
]);

const LONGEST_TEXT = 200;
const MOST_ITEMS = 20;
const MOST_FIELDS = 50;
const DEEPEST = 5;

/** A value in little room and without what must not be kept. */
// whole: one case a type of value.
export function summarised(value: unknown, field = '', depth = 0): Json {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
      return KEPT.has(field) && value.length <= LONGEST_TEXT ? storable(value) : { characters: value.length };
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return Number(value);
    case 'object':
      break;
    default:
      return null;
  }
  if (value instanceof Date) return value.toISOString();
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => summarised(item, field, depth + 1));
    return value.length > MOST_ITEMS ? [...items, { more: value.length - MOST_ITEMS }] : items;
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.slice(0, MOST_FIELDS).map(([name, inner]) => [name, summarised(inner, name, depth + 1)]),
  );
}

/** Plain values of an object as a resolver returns it; columns that GraphQL doesn't show stay out. */
function plainOf(value: object): Record<string, Json> {
  const visibleFields = shownFields(value);
  const plain = Object.entries(value).filter(
    ([name, inner]) =>
      !['id', 'row', 'token'].includes(name) &&
      (visibleFields === null || visibleFields.has(name)) &&
      (['number', 'boolean', 'string'].includes(typeof inner) || inner instanceof Date || inner === null),
  );
  return Object.fromEntries(plain.slice(0, MOST_FIELDS).map(([name, inner]) => [name, summarised(inner, name)]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What something is, in little: its global id and plain values. */
export interface Outcome {
  subject: string | null;
  after: Json | null;
}

/** What a mutation's payload says of its subject: its first object with an id, and plain values. */
export function outcomeOf(payload: unknown): Outcome {
  if (!isObject(payload)) return { subject: null, after: null };
  const node = Object.values(payload).find(
    (value) => isObject(value) && typeof value['id'] === 'string' && !isUuid(value['id']),
  );
  if (!isObject(node)) return { subject: null, after: plainOf(payload) };
  return { subject: node['id'] as string, after: { ...plainOf(payload), ...plainOf(node) } };
}

/** Values that a mutation says itself, with texts cut to what a row holds. */
export const toldChange = (change: Readonly<Record<string, ChangeValue>>): Json =>
  Object.fromEntries(
    Object.entries(change)
      .slice(0, MOST_FIELDS)
      .map(([name, value]) => [name, typeof value === 'string' ? beginningOf(storable(value), LONGEST_TEXT) : value]),
  );
