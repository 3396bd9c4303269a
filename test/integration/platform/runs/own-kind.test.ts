import { record } from '../../../../src/kernel/record.js';
import { graphql, parse, printSchema, subscribe, type ExecutionResult } from 'graphql';
import { z } from 'zod';
import { NodeResolver, RunResolver } from '../../../../src/server/graphql/runs-graphql.js';
import { buildGraphSchema } from '../../../../src/server/graphql/schema.js';
import {
  createGraphContext,
  NodeRegistry,
  runGraph,
  runResolvers,
  toGlobalId,
} from '../../../../src/kit/graphql/index.js';
import { localCaller } from '../../../../src/kernel/caller.js';
import { systemClock } from '../../../../src/kernel/clock.js';
import { storedJson } from '../../../../src/kernel/stored-json.js';
import { defineRunKind, RunQueue } from '../../../../src/platform/runs/index.js';
import { silentLogger } from '../../../../src/platform/telemetry/index.js';
import { RunsKit, WORKSPACE } from './runs-kit.js';

// All that a kind of runs with a checkpoint and an event of its own takes, and an entry in the list of its domain.

const numberCounted = record('NumberCounted', 'A number was counted.', {
  number: z.number().int().describe('The number.'),
});

const counting = defineRunKind({
  kind: 'COUNTING',
  description: 'Numbers are counted.',
  input: storedJson(z.object({ to: z.number() })),
  output: storedJson(z.object({ sum: z.number() })),
  checkpoint: storedJson(z.object({ at: z.number(), sum: z.number() })),
  events: { counted: storedJson(numberCounted) },
  pausable: true,
});

const countingRuns = runGraph(
  counting.handledBy(
    async (stop: { after: number }, { input, resumed, checkpoint, emit, fenced, progress, signal }) => {
      let { at, sum } = resumed ?? { at: 0, sum: 0 };
      for (at++; at <= input.to; at++) {
        signal.throwIfAborted();
        sum += at;
        await progress(at / input.to, `${at} of ${input.to}`);
        await fenced(async (tx) => {
          await emit('counted', { number: at }, tx);
          await checkpoint({ at, sum }, tx);
        });
        if (at === stop.after) await new Promise((_, reject) => signal.addEventListener('abort', reject));
      }
      return { sum };
    },
  ),
);

describe('a kind of runs that is defined', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('has a place in the API, events for its subscribers, and goes on from its checkpoint', async () => {
    const runs = new RunQueue({
      database: kit.database,
      events: kit.events,
      clock: systemClock,
      log: silentLogger(),
      owner: 'here',
      pollMs: 50,
      kinds: [countingRuns],
    });
    const stop = { after: 2 };
    runs.handle([countingRuns], stop);
    const nodes = new NodeRegistry();
    const derived = runResolvers([countingRuns], runs, nodes);
    const schema = buildGraphSchema([new RunResolver({ runs }), new NodeResolver({ nodes }), ...derived]);
    expect(printSchema(schema)).toContain('union CountingEvent = CountingReported | NumberCounted');

    const contextValue = createGraphContext(localCaller(WORKSPACE), 'test', new AbortController());
    const ask = (source: string) => graphql({ schema, source, contextValue });
    runs.start();
    const run = await runs.enqueue(counting, { workspaceId: WORKSPACE, input: { to: 4 }, idempotencyKey: 'count' });
    const id = toGlobalId('CountingRun', run.id);
    const document = parse(`subscription { countingProgress(runId: "${id}") {
      __typename ... on RunEvent { status } ... on NumberCounted { number } } }`);
    const events = (await subscribe({ schema, document, contextValue })) as AsyncGenerator<ExecutionResult>;
    const counted: number[] = [];
    const types = new Set<string>();
    for await (const { data } of events) {
      const event = data!['countingProgress'] as { __typename: string; number?: number };
      types.add(event.__typename);
      if (event.number !== undefined) counted.push(event.number);
      if (event.number !== 2) continue;
      await ask(`mutation { pauseRun(input: { id: "${id}" }) { run { status } } }`);
      await kit.reaches(run, 'PAUSED');
      stop.after = -1;
      await ask(`mutation { resumeRun(input: { id: "${id}" }) { run { status } } }`);
    }
    expect(counted).toEqual([1, 2, 3, 4]);
    expect([...types].sort()).toEqual(['CountingReported', 'NumberCounted']);
    expect(counting.outputOf(await kit.row(run))).toEqual({ sum: 10 });
    const { data } = await ask(`{ node(id: "${id}") { __typename ... on Run { kind status failures } } }`);
    expect(data).toEqual({
      node: { __typename: 'CountingRun', kind: 'COUNTING', status: 'SUCCEEDED', failures: 0 },
    });
    await runs.stop();
  });
});
