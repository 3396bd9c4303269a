import type { z } from 'zod';
import type { AskInput } from '../../answer/ask/index.js';
import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { CollectionStore } from '../../sources/knowledge/index.js';
import type { AdapterStore, ModelStore } from '../../sources/registry/index.js';
import { secondsOf } from './http.js';
import type { modelShape } from './shapes.js';

export interface Names {
  collections: Pick<CollectionStore, 'list' | 'require' | 'byIds'>;
  adapters: Pick<AdapterStore, 'adapters' | 'byName' | 'versionsOf' | 'aliasesOf'>;
  models: Pick<ModelStore, 'models' | 'modelByName'>;
  table: ModelTable;
}

export type ModelTarget = Pick<AskInput, 'strategy' | 'adapter' | 'model' | 'collections'>;

/** The name that leaves the choice to Graft. */
const GRAFT = 'graft';

/** Names of OpenAI's models, and the models here that stand for them: `GRAFT_OPENAI_MODELS`. */
export type ModelTable = Readonly<Record<string, string>>;

/** The model that stands for a name; the name itself where none does. */
export const standIn = (table: ModelTable, name: string): string =>
  (Object.hasOwn(table, name) ? table[name] : undefined) ?? name;

const TUNED = 'ft:';

/** The name of what a job made, as OpenAI has it: `ft:<model>:graft:<suffix>:<adapter>@<version>`; the last part is what it asks for. */
export const tunedName = (model: string, suffix: string | null, adapter: string): string =>
  [TUNED.slice(0, -1), model, GRAFT, suffix ?? '', adapter].join(':');

/**
 * What a model name of the endpoint asks for: `graft` (AUTO), `graft/<collection>` (RAG), `<adapter>`,
 * `<adapter>@candidate`, `<adapter>@7` (ADAPTER), `<adapter>+<collection>` (HYBRID), `<model>` and `<model>@<quantization>` (BASE), a name of the
 * operator's table (BASE), and that of what a job made, `ft:…` (ADAPTER).
 * An adapter goes before a model of its name.
 * @throws NOT_FOUND
 */
export async function targetOf(names: Names, workspaceId: WorkspaceId, asked: string): Promise<ModelTarget> {
  const model = asked.startsWith(TUNED) ? asked.slice(asked.lastIndexOf(':') + 1) : standIn(names.table, asked);
  if (model === GRAFT) return { strategy: 'AUTO' };
  if (model.startsWith(`${GRAFT}/`)) {
    const collection = model.slice(GRAFT.length + 1);
    await names.collections.require(workspaceId, collection, 'input.model');
    return { strategy: 'RAG', collections: [collection] };
  }
  const [adapter = '', collection] = splitOnce(model, '+');
  const [name = ''] = splitOnce(adapter, '@');
  if (collection !== undefined && (await names.adapters.byName(workspaceId, name))) {
    await names.collections.require(workspaceId, collection, 'input.model');
    return { strategy: 'HYBRID', adapter, collections: [collection] };
  }
  if (await names.adapters.byName(workspaceId, name)) return { strategy: 'ADAPTER', adapter };
  if (collection === undefined && (await names.models.modelByName(workspaceId, name)))
    return { strategy: 'BASE', model };
  throw new GraftError('NOT_FOUND', `The model "${asked.slice(0, 200)}" does not exist.`, {
    field: 'input.model',
    hint: `\`GET /v1/models\` lists the names; "${GRAFT}" leaves the choice to Graft.`,
  });
}

function splitOnce(text: string, mark: string): [string, string?] {
  const index = text.indexOf(mark);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

type ListedModel = z.infer<typeof modelShape>;

/** Of each kind; a workspace with more has names that are not listed and can be used all the same. */
const MOST_LISTED = 100;

/** What may stand as `model`: Graft's choice, each collection, each adapter that has a version in production, each base model. */
export async function listedModels(names: Names, workspaceId: WorkspaceId): Promise<ListedModel[]> {
  const page = { first: MOST_LISTED, after: null };
  const [collections, adapters, models] = await Promise.all([
    names.collections.list(workspaceId, page),
    names.adapters.adapters(workspaceId, null, page),
    names.models.models(workspaceId, page),
  ]);
  const versions = await names.adapters.versionsOf(
    workspaceId,
    adapters.items.map(({ id }) => id),
  );
  const aliases = await names.adapters.aliasesOf(versions.map(({ id }) => id));
  const inProduction = new Set(
    versions.flatMap(({ id, adapterId }) => (aliases.get(id)?.includes('production') ? [adapterId] : [])),
  );
  const listed = (id: string, createdAt: Date, owner: string): ListedModel => ({
    id,
    object: 'model',
    created: secondsOf(createdAt),
    owned_by: owner,
  });
  const oldest = new Date(Math.min(Date.now(), ...models.items.map(({ createdAt }) => createdAt.getTime())));
  return [
    listed(GRAFT, oldest, 'graft'),
    ...collections.items.map(({ name, createdAt }) => listed(`${GRAFT}/${name}`, createdAt, 'collection')),
    ...adapters.items
      .filter(({ id }) => inProduction.has(id))
      .map(({ name, createdAt }) => listed(name, createdAt, 'adapter')),
    ...models.items.map(({ name, createdAt }) => listed(name, createdAt, 'model')),
  ];
}
