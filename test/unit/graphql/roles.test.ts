import { execute, parse, type GraphQLSchema } from 'graphql';
import { Query, Resolver, type ResolverData } from 'type-graphql';
import { operationFields } from '../../../src/graphql/guard.js';
import { RESOLVER_CLASSES } from '../../../src/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/graphql/schema.js';
import { createGraphContext, Needs } from '../../../src/graphql-kit/index.js';
import { isAllowed, localCaller, Role } from '../../../src/kernel/caller.js';

/** What is wrong with the fields of a schema's operations, in words that say what to do. */
const faults = (schema: GraphQLSchema): string[] =>
  [...operationFields(schema)].flatMap(({ name, field, needed }) =>
    needed === undefined
      ? [`${name} has no role, so it answers nobody: put @Needs('ASK' | 'EDIT' | 'OPERATE' | 'ADMIN') on it`]
      : field.description?.includes(`Needs role ${needed}.`)
        ? []
        : [`${name} does not say its role`],
  );

@Resolver()
class Doors {
  @Needs('OPERATE')
  @Query(() => String, { description: 'Open to some.' })
  guarded(): string {
    return 'in';
  }

  @Query(() => String, { description: 'Nobody said to whom.' })
  forgotten(): string {
    return 'in';
  }
}

describe('roles', () => {
  it('every field of the schema’s operations has one, and says it', () => {
    const schema = buildGraphSchema(RESOLVER_CLASSES);
    expect(faults(schema)).toEqual([]);
    expect([...operationFields(schema)].length).toBeGreaterThan(60);
  });

  it('a field without one is found by name, and answers nobody', async () => {
    const schema = buildGraphSchema([new Doors()]);
    expect(faults(schema)).toEqual([expect.stringMatching(/^Query\.forgotten has no role/)]);
    const { data, errors } = await execute({
      schema,
      document: parse('{ forgotten }'),
      contextValue: createGraphContext(localCaller(), 'r', new AbortController()),
    });
    expect([data, errors?.[0]?.originalError]).toEqual([null, expect.objectContaining({ code: 'FORBIDDEN' })]);
  });

  it('each role may what those below it may, and nothing that those above it may', async () => {
    const schema = buildGraphSchema([new Doors()]);
    const ask = async (role: Role) => {
      const contextValue: ResolverData<object>['context'] = createGraphContext(
        { ...localCaller(), role },
        'r',
        new AbortController(),
      );
      return (await execute({ schema, document: parse('{ guarded }'), contextValue })).data?.['guarded'] ?? 'out';
    };
    const outcomes = await Promise.all(Object.values(Role).map(async (role) => [role, await ask(role)]));
    expect(Object.fromEntries(outcomes)).toEqual({ ASK: 'out', EDIT: 'out', OPERATE: 'in', ADMIN: 'in' });
    expect(isAllowed('ASK', 'ASK')).toBe(true);
  });
});
