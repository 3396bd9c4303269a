import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { getMetadataStorage, Resolver } from 'type-graphql';
import { RESOLVER_CLASSES, RUN_KINDS } from '../../../src/server/graphql/resolvers.js';
import { RunKind, runGraph } from '../../../src/kit/graphql/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';

/** What the product's files export; other tests of this process declare resolvers, too. */
const declared = new Set<unknown>();

/** What files of the product declare and no domain lists, in words that say what to do. */
const unlisted = (): string[] => {
  const classes = new Set<unknown>(RESOLVER_CLASSES);
  const kinds = new Set(RUN_KINDS.map(({ definition }) => definition.kind));
  return [
    ...getMetadataStorage()
      .resolverClasses.filter(({ target }) => declared.has(target) && !classes.has(target))
      .map(({ target }) => target.name)
      .map((name) => `${name} answers nobody: put it among the classes of its domain's open.ts`),
    ...Object.keys(RunKind)
      .filter((kind) => !kinds.has(kind))
      .map((kind) => `runs of the kind ${kind} would wait for ever: put it among the runs of its domain's open.ts`),
  ];
};

describe('what a domain has', () => {
  beforeAll(async () => {
    const files = readdirSync(join(packageRoot(), 'src'), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('-graphql.ts')))
      for (const value of Object.values((await import(`../../../src/${file.replace(/\.ts$/, '.js')}`)) as object))
        declared.add(value);
  });

  it('is all listed: no resolver and no kind of runs is declared for nobody', () => {
    expect(unlisted()).toEqual([]);
  });

  it('is shown under its own name: no resolver of a field answers for another field that is stored as it is called', () => {
    const { fields, fieldResolvers, resolverClasses } = getMetadataStorage();
    const typeOf = new Map(resolverClasses.map(({ target, getObjectType }) => [target, getObjectType]));
    const taken = fieldResolvers.flatMap((resolver) => {
      const type: unknown = typeOf.get(resolver.target)?.();
      return fields
        .filter(({ target, name }) => target === type && name === resolver.methodName)
        .filter(({ schemaName }) => schemaName !== resolver.schemaName)
        .map(
          ({ target, schemaName }) =>
            `${target.name}.${schemaName} is answered by the resolver of ${resolver.schemaName}`,
        );
    });
    expect(taken).toEqual([]);
  });

  afterAll(() => void delete RunKind['FORGOTTEN']);

  it('is found by name where it is not', () => {
    @Resolver()
    class Forgotten {}
    declared.add(Forgotten);
    const definition = { kind: 'FORGOTTEN', description: 'Nobody does it.', subject: null, events: {} };
    runGraph({ definition });
    expect(unlisted()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^${Forgotten.name} answers nobody`)),
        expect.stringMatching(/^runs of the kind FORGOTTEN would wait for ever/),
      ]),
    );
  });
});
