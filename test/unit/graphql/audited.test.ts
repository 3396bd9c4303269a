import { getNamedType, isInputObjectType, type GraphQLResolveInfo } from 'graphql';
import { Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import { subjectOf } from '../../../src/operate/access/audit/subject.js';
import { operationFields, type FieldCall, type FieldHooks } from '../../../src/server/graphql/guard.js';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { createGraphContext, Needs, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId } from '../../../src/kernel/ids.js';

@ObjectType({ description: 'What came of it.' })
class Renamed {
  @Field(() => String, { description: 'The name.' })
  name!: string;
}

@Resolver()
class Another {
  @Needs('EDIT')
  @Mutation(() => Renamed, { description: 'Renames something.' })
  renameSomething(): Renamed {
    return { name: 'done' };
  }
}

/** What goes through the hooks, of which nothing comes. */
const heard = (calls: FieldCall[]): FieldHooks => ({
  resolve: (call) => {
    calls.push(call);
    return Promise.resolve(null);
  },
  subscribe: () => Promise.reject(new Error('no mutation is a subscription')),
});

describe('the audit log', () => {
  const schemaOf = (classes: readonly (new (...args: never[]) => object)[], calls: FieldCall[]) =>
    buildGraphSchema(classes, heard(calls));

  it('hears of every mutation of the schema before any of it is done', async () => {
    const calls: FieldCall[] = [];
    const mutations = [...operationFields(schemaOf([...RESOLVER_CLASSES, Another], calls))].filter(
      ({ operation }) => operation === 'mutation',
    );
    const context = createGraphContext(localCaller(), 'request-1', new AbortController());
    for (const { field } of mutations) await field.resolve?.(undefined, {}, context, {} as GraphQLResolveInfo);
    expect(calls.map(({ name }) => name).sort()).toEqual(mutations.map(({ field }) => field.name).sort());
    expect(calls.every(({ operation }) => operation === 'mutation')).toBe(true);
    expect(calls.length).toBeGreaterThan(70);
    expect(calls.map(({ name }) => name)).toContain('renameSomething');
  });

  it('finds what a mutation is about by the one id that its input names it with', () => {
    const id = (type: string) => toGlobalId(type, newId());
    const [rollout, run, answer] = [id('Rollout'), id('TrainingRun'), id('Answer')];
    expect(subjectOf({ reason: 'slow', rollout })).toBe(rollout);
    expect(subjectOf({ id: run })).toBe(run);
    expect(subjectOf({ proposal: id('Proposal'), approve: true })).not.toBeNull();
    expect(subjectOf({ adapter: 'tickets', version: 3 })).toBeNull();
    expect(subjectOf({ reason: answer, ids: [answer] })).toBeNull();
    expect(subjectOf('rollout')).toBeNull();
  });

  it('finds it for every mutation that changes what an id of its own kind names', () => {
    const idsOf = ({ field }: { field: { args: readonly { type: unknown }[] } }): string[] =>
      field.args.flatMap(({ type }) => {
        const named = getNamedType(type as Parameters<typeof getNamedType>[0]);
        return named && isInputObjectType(named)
          ? Object.values(named.getFields())
              .filter((each) => getNamedType(each.type).name === 'ID' && String(each.type) === 'ID!')
              .map(({ name }) => name)
          : [];
      });
    const changing = [...operationFields(schemaOf(RESOLVER_CLASSES, []))].filter(
      ({ operation, field }) =>
        operation === 'mutation' &&
        /^(abort|acknowledge|advance|approve|cancel|decide|delete(File|Webhook)|end|jump|pauseRo|pauseE|pauseRun|resolve|resume|revoke|rotate|stop|update|widen)/.test(
          field.name,
        ),
    );
    expect(changing.length).toBeGreaterThan(20);
    for (const each of changing) {
      const names = idsOf(each).filter((name) => name !== 'idempotencyKey');
      expect([each.name, names.length]).toEqual([each.name, 1]);
      const type = names[0] === 'id' ? 'Anything' : names[0]![0]!.toUpperCase() + names[0]!.slice(1);
      const value = toGlobalId(type, newId());
      expect(subjectOf({ [names[0]!]: value })).toBe(value);
    }
  });
});
