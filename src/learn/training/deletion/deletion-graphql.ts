import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { z } from 'zod';
import { ErasureReportType, toErasureReport } from '../../../kit/erasure/index.js';
import {
  Needs,
  cost,
  make,
  toGlobalId,
  type GraphContext,
  inputType,
  ofType,
  objectType,
} from '../../../kit/graphql/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { Adapter, toAdapter } from '../adapters/adapter-types.js';
import type { AdapterDeleter } from './adapter-deleter.js';
import { deciderOf } from '../../../kernel/caller.js';
import { string } from '../../../kernel/record.js';

const DeleteAdapterInput = inputType('DeleteAdapterInput', 'Which adapter, or which version of it, to delete.', {
  adapter: string('Name of the adapter.'),
  version: z.int().nullish().describe('Number of the one version that goes; all of the adapter goes by default.'),
  force: z
    .boolean()
    .optional()
    .default(false)
    .describe('Whether it goes though an alias names it; then nothing answers as that alias.'),
  reason: z
    .string()
    .optional()
    .default('The version was deleted.')
    .describe('Why, for the record of the aliases that named the version; 1 to 1,000 characters.'),
  by: string('Who decides, for that record; 1 to 200 characters; by default the caller.').nullish(),
});
type DeleteAdapterInput = InstanceType<typeof DeleteAdapterInput>;

const DeleteAdapterPayload = objectType('DeleteAdapterPayload', 'What `deleteAdapter` did.', {
  adapter: ofType(() => Adapter)
    .nullable()
    .describe('What is left of the adapter; null when all of it went.'),
  versions: z.array(z.int()).describe('Numbers of the versions that went; they are not given again.'),
  erasure: ofType(() => ErasureReportType).describe('What was removed with them, and what had to stay.'),
});
type DeleteAdapterPayload = InstanceType<typeof DeleteAdapterPayload>;

interface DeletionResolverParts {
  deleter: AdapterDeleter;
  adapters: AdapterRegistry;
}

@Resolver()
export class AdapterDeletionResolver {
  constructor(private readonly parts: DeletionResolverParts) {}

  @Needs('OPERATE')
  @Mutation(() => DeleteAdapterPayload, {
    description:
      'Deletes an adapter, or one version of it, with its files, exports, merged files of which no model was registered, and evaluations; runs about it are cancelled. Refused while an alias names it, unless forced. Recorded answers stay, and say that it was deleted; an answer that it is giving ends as its answer or with `ADAPTER_UNAVAILABLE`, never as the base model’s. The reader that comes with Graft is installed anew at the next start.',
    complexity: cost(20),
  })
  async deleteAdapter(
    @Arg('input', () => DeleteAdapterInput, { description: 'Which adapter or version.' }) input: DeleteAdapterInput,
    @Ctx() { workspaceId, caller, change }: GraphContext,
  ): Promise<DeleteAdapterPayload> {
    const { adapter, version = null, force, reason } = input;
    const { deleter, adapters } = this.parts;
    const was = await adapters.store.byName(workspaceId, adapter);
    if (was) {
      change.subject = toGlobalId('Adapter', was.id);
      change.before = { adapter, task: was.task, lastVersion: was.lastVersion };
    }
    const removal = { adapter, version, force, reason, by: deciderOf(caller, input.by) };
    const { versions, erasure } = await deleter.delete(workspaceId, removal);
    change.after = { adapter, versionsDeleted: versions.join(', ') };
    const remainingAdapter = version === null ? null : await adapters.store.byName(workspaceId, adapter);
    return make(DeleteAdapterPayload, {
      adapter: remainingAdapter && toAdapter(remainingAdapter),
      versions,
      erasure: toErasureReport(erasure),
    });
  }
}
