import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { encodeCursor } from '../../kernel/pagination.js';
import { record, string, date, id } from '../../kernel/record.js';
import {
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  fieldsOf,
  fromGlobalId,
  make,
  mapPage,
  type NodeRegistry,
  RunEventType,
  runEvent,
  recordType,
  runGraph,
  toConnection,
  toGlobalId,
  toOne,
  nodeType,
  inputType,
  type RunObject,
  idempotencyKey,
} from '../../kit/graphql/index.js';
import type { ConnectionOf, GraphContext } from '../../kit/graphql/index.js';
import { downloading } from './download-run.js';
import type { ModelRow, VariantRow } from './model.js';
import type { ModelRegistry } from './model-registry.js';
import type { Quantizer } from './quantization/quantizer.js';
import { loadVariant, ModelVariant, toModelVariant } from './variant-graphql.js';

export const Model = nodeType('Model', 'A base model: an open model that answers questions.', {
  name: string('Unique in the workspace.'),
  architecture: string('The architecture that its file names, e.g. `llama` or `qwen2`.'),
  parameters: z.bigint().describe('Number of weights.'),
  licence: string('Licence of its weights as an SPDX identifier or as its file says; null if unknown.').nullable(),
  source: string('Where it came from: `catalogue`, `upload` or `hf:owner/repo`.'),
  createdAt: date('When it was registered.'),
  rowId: z.custom<string>(),
});
export type Model = InstanceType<typeof Model>;

const downloadEvent = record('DownloadEvent', 'Something that a download reported.', {
  bytes: z.bigint().nullable().describe('Bytes that are there; null when the event is not about bytes.'),
  totalBytes: z.bigint().nullable().describe('Bytes of the whole file; null while unknown.'),
});

export const downloadRuns = runGraph(
  downloading.handledBy(({ registry }: { registry: ModelRegistry }, context) => registry.download(context)),
  {
    progress: runEvent(recordType(downloadEvent, RunEventType), (detail) => ({
      bytes: detail ? BigInt(detail.bytes) : null,
      totalBytes: detail?.totalBytes ? BigInt(detail.totalBytes) : null,
    })),
  },
);
const DownloadRun = downloadRuns.Run;

const { Connection: ModelConnection } = connectionTypes(Model);

const RegisterModelInput = inputType(
  'RegisterModelInput',
  'Where the model comes from: exactly one of `fileId`, `catalogueName` and `hubFile`.',
  {
    fileId: id('A GGUF file uploaded with `POST /files`.').nullish(),
    catalogueName: string('A name of `modelCatalogue`.').nullish(),
    hubFile: string(
      'A GGUF file of the Hugging Face hub: `hf:owner/repo/file.gguf`, or with a revision `hf:owner/repo@revision/file.gguf`.',
    ).nullish(),
    name: string(
      'Name of the model, 1 to 63 letters, digits, `.`, `_` or `-`; by default taken from the file’s. An existing name adds a variant to that model.',
    ).nullish(),
    idempotencyKey,
  },
);

export const toModel = (row: ModelRow): Model =>
  make(Model, { ...row, id: toGlobalId('Model', row.id), rowId: row.id });

interface RegistryResolverParts {
  registry: ModelRegistry;
  quantizer: Quantizer;
}

@Resolver(() => Model)
export class ModelResolver extends downloadRuns.startedBy('registerModel', {
  description:
    'Fetches a model, loads it once in a process of its own, and registers it. A file that is cut short, corrupt, not the expected one or not supported is refused and not kept.',
  needs: 'OPERATE',
  input: RegisterModelInput,
  argument: 'Which model.',
  payload: 'The run that fetches, checks and registers the model.',
  run: (parts: Pick<RegistryResolverParts, 'registry'>, input, context) => {
    const fileId = input.fileId ? fromGlobalId(input.fileId, 'File', 'input.fileId') : null;
    return parts.registry.register(context.workspaceId, { ...input, fileId });
  },
}) {
  @Needs('ASK')
  @Query(() => ModelConnection, { description: 'The models of the workspace, by name.', complexity: cost(5) })
  async models(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Model>> {
    const page = args.request();
    const rows = await this.parts.registry.models(context.workspaceId, page);
    return toConnection(mapPage(rows, toModel), (model) => encodeCursor([model.name]), page.after);
  }

  @Needs('ASK')
  @Query(() => Model, {
    nullable: true,
    description: 'The model of this name; null when there is none.',
    complexity: cost(2),
  })
  async model(
    @Ctx() context: GraphContext,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
  ): Promise<Model | null> {
    const row = await this.parts.registry.modelByName(context.workspaceId, name);
    return row ? toModel(row) : null;
  }

  @FieldResolver(() => [ModelVariant], { description: 'Its stored forms, oldest first.', complexity: cost(3) })
  async variants(@Root() model: Model, @Ctx() context: GraphContext): Promise<ModelVariant[]> {
    const rows = context.loader<string, VariantRow[]>('registry.variantsOf', (ids) =>
      this.parts.registry.variantsOf(context.workspaceId, ids),
    );
    return ((await rows.load(model.rowId)) ?? []).map(toModelVariant);
  }
}

@Resolver(() => ModelVariant)
export class ModelVariantResolver {
  constructor(private readonly parts: RegistryResolverParts) {}

  @FieldResolver(() => Model, { description: 'The model that it is a form of.', complexity: cost(2) })
  async model(@Root() variant: ModelVariant, @Ctx() context: GraphContext): Promise<Model> {
    const rows = context.loader<string, ModelRow>('registry.modelsById', (ids) =>
      this.parts.registry.modelsById(context.workspaceId, ids),
    );
    return toModel((await rows.load(variant.modelId))!);
  }
}

export const DownloadRunResolver = fieldsOf<RunObject, RegistryResolverParts>(() => DownloadRun, {
  variant: toOne(
    () => ModelVariant,
    'What it registered; null until it succeeded.',
    ({ row }, context, { registry }) => {
      const output = downloading.outputOf(row);
      return output ? loadVariant(context, registry, output.variantId) : null;
    },
  ),
});

/** Lets `node(id)` find models and their variants. */
export function registerModelNodes(nodes: NodeRegistry, registry: ModelRegistry): void {
  nodes.register('Model', async ({ workspaceId }, id) => {
    const [row] = await registry.modelsById(workspaceId, [id]);
    return row ? toModel(row) : null;
  });
  nodes.register('ModelVariant', (context, id) => loadVariant(context, registry, id));
}
