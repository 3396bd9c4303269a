import { Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { BigIntScalar, Needs } from '../graphql-kit/index.js';
import { catalogue, type GeneratorEntry } from '../platform/models-on-disk/index.js';
import { fileBytes, memoryOf } from './recommending/memory.js';

@ObjectType({ description: 'A model that Graft knows by name and can fetch.' })
export class CatalogueModel {
  @Field(() => String, { description: 'For `registerModel` and the environment variable GRAFT_MODEL.' })
  name!: string;

  @Field(() => String, { description: 'Licence of its weights as an SPDX identifier.' })
  licence!: string;

  @Field(() => BigIntScalar, { description: 'Number of weights.' })
  parameters!: bigint;

  @Field(() => BigIntScalar, { description: 'Size of the download in bytes.' })
  bytes!: bigint;

  @Field(() => BigIntScalar, {
    description:
      'Memory that it takes to answer, in bytes, roughly: its weights and two contexts of up to 8,192 tokens. Training takes its own.',
  })
  memoryBytes!: bigint;

  @Field(() => Int, { description: 'Longest context that it was trained for, in tokens.' })
  contextLength!: number;
}

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
