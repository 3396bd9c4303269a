import {
  getNamedType,
  graphql,
  isInterfaceType,
  isObjectType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import { operationFields } from '../../../src/server/graphql/guard.js';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { createGraphContext, Needs, RunType, spendsOf } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { GraftError } from '../../../src/kernel/errors.js';

/** Mutations that lead to a run and start no paid work, with the reason. */
const FREE: Readonly<Record<string, string>> = {
  'Mutation.cancelRun': 'ends work',
  'Mutation.pauseRun': 'ends work for a while',
  'Mutation.deleteDatasetRows': 'erasing must be possible to who has nothing left',
  'Mutation.setRouterMode': 'the run of the version is in the past',
  'Mutation.pauseRollout': 'ends work for a while',
  'Mutation.resumeRollout': 'the watch only counts what is answered',
  'Mutation.advanceRollout': 'the watch only counts what is answered',
  'Mutation.jumpRollout': 'the watch only counts what is answered',
  'Mutation.approveRollout': 'the watch only counts what is answered',
  'Mutation.abortRollout': 'ends work',
  'Mutation.createExperiment': 'writes a plan down',
  'Mutation.pauseExperiment': 'ends work for a while',
  'Mutation.resumeExperiment': 'the watch only counts what is answered',
  'Mutation.widenExperiment': 'the watch only counts what is answered',
  'Mutation.endExperiment': 'ends work',
  'Mutation.stopExperiment': 'ends work',
  'Mutation.stopShadow': 'ends work',
  'Mutation.createSource': 'writes a plan down',
  'Mutation.syncSource': 'compares a list',
  'Mutation.commitSync': 'deletes what is gone',
};

/** Queries and subscriptions that models answer. */
const PAID = ['Query.ask', 'Query.answerAll', 'Query.search', 'Query.estimateTraining', 'Subscription.askStream'];

const isRun = (type: GraphQLNamedType): boolean =>
  (isInterfaceType(type) && type.name === 'Run') ||
  (isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Run'));

const below = (type: GraphQLNamedType): GraphQLNamedType[] =>
  isObjectType(type) || isInterfaceType(type)
    ? Object.values(type.getFields()).map((field) => getNamedType(field.type))
    : [];

/** Whether a payload, or an object in it, has a run. */
const leadsToRun = (payload: GraphQLNamedType): boolean =>
  [payload, ...below(payload), ...below(payload).filter(isObjectType).flatMap(below)].some(isRun);

/** What is wrong with the mutations of a schema, in words that say what to do. */
const faults = (schema: GraphQLSchema): string[] =>
  [...operationFields(schema)]
    .filter(({ name, operation, field }) => operation === 'mutation' && !spendsOf(field) && !(name in FREE))
    .filter(({ field }) => leadsToRun(getNamedType(field.type)))
    .map(({ name }) => `${name} starts a run and asks no budget: put @SpendsBudget('RUN' | 'TRAINING' | …) on it`);

@ObjectType({ description: 'What came of it.' })
class Started {
  @Field(() => RunType, { description: 'The run.' })
  run!: RunType;
}

@Resolver()
class Forgetful {
  @Needs('EDIT')
  @Mutation(() => Started, { description: 'Starts something.' })
  beginSomething(): Started {
    throw new Error();
  }
}

describe('budgets', () => {
  const schema = buildGraphSchema(RESOLVER_CLASSES);

  it('are asked by every mutation that starts a run, and by what models answer at once', () => {
    expect(faults(schema)).toEqual([]);
    const paid = [...operationFields(schema)].filter(({ field }) => spendsOf(field)).map(({ name }) => name);
    expect(paid).toEqual(expect.arrayContaining(PAID));
  });

  it('are not asked for what is too long, which waiting would not make shorter', async () => {
    const full = () => Promise.reject(new GraftError('OVERLOADED', 'Busy.'));
    const busy = buildGraphSchema(RESOLVER_CLASSES, { resolve: full, subscribe: full });
    const contextValue = createGraphContext(localCaller(), 'test', new AbortController());
    const codeFor = async (field: string, text: string) => {
      const { errors } = await graphql({ schema: busy, source: field.replace('TEXT', text), contextValue });
      return (errors![0]!.originalError as GraftError).code;
    };
    const [asked, searched] = [
      '{ ask(input: { question: "TEXT" }) { id } }',
      '{ search(input: { query: "TEXT" }) { hits { chunk { id } } } }',
    ];
    expect(await codeFor(asked, 'x'.repeat(9_000))).toBe('QUESTION_TOO_LONG');
    expect(await codeFor(asked, 'x')).toBe('OVERLOADED');
    expect(await codeFor(searched, 'x'.repeat(9_000))).toBe('BAD_USER_INPUT');
    expect(await codeFor(searched, 'x')).toBe('OVERLOADED');
  });

  it('a mutation that starts a run and has no mark is found by name', () => {
    expect(faults(buildGraphSchema([...RESOLVER_CLASSES, Forgetful]))).toEqual([
      expect.stringMatching(/^Mutation\.beginSomething starts a run/),
    ]);
  });
});
