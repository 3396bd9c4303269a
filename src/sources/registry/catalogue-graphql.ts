import { Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import { Needs, objectType } from '../../kit/graphql/index.js';
import { catalogue, type GeneratorEntry } from '../../platform/models-on-disk/index.js';
import { fileBytes, memoryOf } from './recommending/memory.js';
import { string } from '../../kernel/record.js';

export const CatalogueModel = objectType('CatalogueModel', 'A model that Graft knows by name and can fetch.', {
  name: string('For `registerModel` and the environment variable GRAFT_MODEL.'),
  licence: string('Licence of its weights as an SPDX identifier.'),
  parameters: z.bigint().describe('Number of weights.'),
  bytes: z.bigint().describe('Size of the download in bytes.'),
  memoryBytes: z
    .bigint()
    .describe(
      'Memory that it takes to answer, in bytes, roughly: its weights and two contexts of up to 8,192 tokens. Training takes its own.',
    ),
  contextLength: z.int().describe('Longest context that it was trained for, in tokens.'),
});
export type CatalogueModel = InstanceType<typeof CatalogueModel>;

export const toCatalogueModel = (entry: GeneratorEntry): CatalogueModel => ({
  name: entry.name,
  licence: entry.licence,
  contextLength: entry.contextLength,
  parameters: BigInt(entry.parameters),
  bytes: BigInt(fileBytes(entry)),
  memoryBytes: BigInt(memoryOf(entry)),
});

@Resolver()
export class CatalogueResolver {
  @Needs('ASK')
  @Query(() => [CatalogueModel], { description: 'Models that can be registered by name, smallest first.' })
  modelCatalogue(): CatalogueModel[] {
    return catalogue
      .flatMap((entry) => (entry.kind === 'generator' ? [entry] : []))
      .sort((a, b) => fileBytes(a) - fileBytes(b))
      .map(toCatalogueModel);
  }
}
