import { Arg, createUnionType, Ctx, ID, Mutation, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { z } from 'zod';
import type { Role } from '../../kernel/caller.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { StoredJson, ValueOf } from '../../kernel/stored-json.js';
import { cost } from './complexity.js';
import type { GraphContext } from './context.js';
import { addFields, type Fields } from './fields-of.js';
import { make } from './make.js';
import { Needs } from './needs.js';
import type { NodeRegistry } from './node.js';
import {
  eventDetail,
  followRun,
  RunEventType,
  runEventFields,
  type FollowedRuns,
  type ProgressArgs,
  type StoredEventLike,
} from './run-events.js';
import { recordType } from './record-types.js';
import { nameRunKind, runObject, RunType, runTypeName, type RunObject, type RunRowLike } from './runs.js';
import { objectType, ofType } from './record-types.js';
import { SpendsBudget, type Spends } from './spends.js';
import { subscribeWith, type SubscriptionRequest } from './subscriptions.js';

/** What the GraphQL side of a kind derives from: `defineRunKind` of the platform makes it. */
interface RunDefinition {
  readonly kind: string;
  readonly description: string;
  /** The GraphQL type of what its runs work on; null where there is none to show. */
  readonly subject: string | null;
  readonly events: Readonly<Record<string, StoredJson<unknown>>>;
}

/** The GraphQL type of an event, and its own fields from what the event carries. */
interface EventGraph<T> {
  readonly type: new () => RunEventType;
  readonly fields: (detail: T) => object;
}

/** An event's type whose fields beyond those of `RunEvent` come from `fields`. */
export const runEvent = <T, G extends RunEventType>(
  type: new () => G,
  fields: (detail: T) => Omit<G, keyof RunEventType>,
): EventGraph<T> => ({ type, fields });

/**
 * The types of events that show something else than they carry; of all others it follows from the `record` that they carry.
 * `progress` also tells of the beginning and the end, where there is no detail.
 */
type EventGraphs<E> = { [N in keyof E]?: EventGraph<N extends 'progress' ? ValueOf<E[N]> | undefined : ValueOf<E[N]>> };

/** Follows runs; what a derived resolver needs of the run queue. */
interface RunSource extends FollowedRuns {
  get(workspaceId: WorkspaceId, id: string): Promise<RunRowLike | null>;
}

/** The GraphQL side of a kind of runs. */
export interface RunGraph {
  readonly definition: RunDefinition;
  /** The object type, for `@Field` and `@Resolver`: `IngestionRun`. */
  readonly Run: new () => RunObject;
  /** Has the subscription `ingestionProgress`. */
  readonly Progress: new (runs: RunSource) => object;
  /**
   * The type of what a mutation returns that starts a run of this kind.
   * @param goesOn what to do about the run, for the API; by default that its subscription tells how far it is
   */
  payload(name: string, description: string, goesOn?: string): new () => StartedRun;
  /** A resolver with the mutation that starts a run of this kind; its payload’s type has the mutation’s name. Where runs lead to more than objects, the kind’s own resolver extends it. */
  startedBy<P, I extends object>(mutation: string, start: RunStart<P, I>): new (parts: P) => ResolverOf<P>;
}

/** How a mutation starts a run. */
interface RunStart<P, I extends object> {
  description: string;
  /** `EDIT` by default. */
  needs?: Role;
  /** `RUN` by default. */
  spends?: Spends;
  /** Complexity of the field; 20 by default. */
  cost?: number;
  input: new () => I;
  /** What the argument `input` says. */
  argument: string;
  /** What the payload is, and what to do about its run: see `payload`. */
  payload: string;
  goesOn?: string;
  run: (parts: P, input: I, context: GraphContext) => Promise<RunRowLike>;
  /** What runs of the kind lead to. */
  fields?: Fields<RunObject, P>;
}

/** A resolver with the parts of its domain, for those that extend it. */
class ResolverOf<P> {
  constructor(readonly parts: P) {}
}

/** What a mutation returns that starts a run: its own type has the same field. */
export interface StartedRun {
  run: RunObject;
}

/**
 * Derives the enum value, object type, event types and subscription of a kind from its definition.
 * The subscription yields the kind's event type, or the union of them where there are several.
 * @returns what was given, and these
 */
export function runGraph<H extends { readonly definition: RunDefinition }>(
  handled: H,
  graphs: EventGraphs<H['definition']['events']> = {},
): H & RunGraph {
  const { definition } = handled;
  const events = eventGraphs(definition.events, graphs);
  const { kind, description, subject } = definition;
  nameRunKind(kind, description, subject);
  const name = runTypeName(kind);
  const stem = name.slice(0, -'Run'.length);

  @ObjectType(name, { implements: RunType, description })
  class Run extends RunType {
    readonly row!: RunRowLike;
  }

  const subscription = `${stem.charAt(0).toLowerCase()}${stem.slice(1)}Progress`;
  const payload = (
    payloadName: string,
    payloadDescription: string,
    goesOn = `It goes on by itself; watch it with \`${subscription}\`.`,
  ): new () => StartedRun =>
    objectType(payloadName, payloadDescription, { run: ofType<RunObject>(() => Run).describe(goesOn) });

  const ownEvents = Object.values(events);
  const plain = events['progress'] ?? plainEvent(stem, ownEvents.length > 0);
  const types = [...new Set([plain, ...ownEvents].map(({ type }) => type))];
  const Event = types.length === 1 ? plain.type : union(stem, types);

  const toEvent = (event: StoredEventLike): RunEventType => {
    const { type, fields } = events[event.type] ?? plain;
    const detail = eventDetail(event);
    const decoded = detail === undefined ? undefined : definition.events[event.type]?.decode(detail);
    return make(type, { ...fields(decoded), ...runEventFields(event) });
  };
  const isKnown = (type: string) => type === 'progress' || type === 'status' || type === 'finished' || type in events;
  READERS.set(kind, (event) => (isKnown(event.type) ? toEvent(event) : null));

  @Resolver()
  class Progress {
    constructor(readonly runs: RunSource) {}

    @Needs('ASK')
    @Subscription(() => Event, {
      name: subscription,
      description: `What a run of the type \`${name}\` reports; completes when it has ended. Events are stored: it begins with the first, or behind \`after\`.`,
      complexity: cost(5),
      subscribe: subscribeWith(
        () => Progress,
        ({ runs }, { args, context }: SubscriptionRequest<ProgressArgs>) =>
          followRun(runs, kind, isKnown, args, context),
      ),
    })
    progress(
      @Root() event: StoredEventLike,
      @Arg('runId', () => ID, { description: `Id of a run of the type \`${name}\`.` }) _runId: string,
      @Arg('after', () => String, {
        nullable: true,
        description: 'Id of the last event seen; by default from the first on.',
      })
      _after?: string | null,
    ): RunEventType {
      return toEvent(event);
    }
  }

  const startedBy = <P, I extends object>(mutation: string, start: RunStart<P, I>): new (parts: P) => ResolverOf<P> => {
    const name = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Payload`;
    const Start = startResolver(mutation, start, payload(name, start.payload, start.goesOn));
    if (start.fields) addFields(Start, () => Run, start.fields);
    else Resolver()(Start);
    return Start;
  };

  return { ...handled, Run, Progress, payload, startedBy };
}

/** The resolver of a mutation that starts a run. */
function startResolver<P, I extends object>(
  name: string,
  { needs = 'EDIT', spends = 'RUN', cost: ownCost = 20, input: Input, argument, description, run }: RunStart<P, I>,
  Payload: new () => StartedRun,
): new (parts: P) => ResolverOf<P> {
  class Start extends ResolverOf<P> {
    @Needs(needs)
    @SpendsBudget(spends)
    @Mutation(() => Payload, { name, description, complexity: cost(ownCost) })
    async start(
      @Arg('input', () => Input, { description: argument }) input: I,
      @Ctx() context: GraphContext,
    ): Promise<StartedRun> {
      return { run: runObject(await run(this.parts, input, context)) };
    }
  }
  return Start;
}

/** @throws TypeError where an event is neither shown nor carries a record */
const eventGraphs = (
  definitions: RunDefinition['events'],
  graphs: Readonly<Record<string, EventGraph<never> | undefined>>,
): Record<string, EventGraph<unknown>> =>
  Object.fromEntries(
    Object.entries(definitions).map(([name, form]) => [
      name,
      (graphs[name] as EventGraph<unknown> | undefined) ?? ofRecord(form),
    ]),
  );

/** An event shows the record that it carries; what tells of the beginning or the end carries none, and shows the record’s defaults. */
function ofRecord(form: StoredJson<unknown>): EventGraph<unknown> {
  if (!(form.schema instanceof z.ZodObject)) throw new TypeError('An event carries a record, or says how it is shown.');
  return { type: recordType(form.schema, RunEventType), fields: (detail) => (detail ?? form.decode({})) as object };
}

/** How events of each kind become objects; null for what only a later version of the kind has. */
const READERS = new Map<string, (event: StoredEventLike) => RunEventType | null>();

/** Stored events of a run as objects of its kind’s event types. */
export const runEventsOf = (kind: string, events: readonly StoredEventLike[]): RunEventType[] =>
  events.flatMap((event) => READERS.get(kind)?.(event) ?? []);

/** The type of events that only tell how far a run is. */
function plainEvent(stem: string, besideOthers: boolean): EventGraph<unknown> {
  @ObjectType(besideOthers ? `${stem}Reported` : `${stem}Event`, {
    implements: RunEventType,
    description: `How far a run of the type \`${stem}Run\` is.`,
  })
  class PlainEvent extends RunEventType {}
  return { type: PlainEvent, fields: () => ({}) };
}

const union = (stem: string, types: readonly (new () => RunEventType)[]) =>
  createUnionType({
    name: `${stem}Event`,
    description: `Something that a run of the type \`${stem}Run\` reported; each is a \`RunEvent\`.`,
    types: () => types,
    resolveType: (value: object) => value.constructor as never,
  });

/** Lets `node(id)` find runs of these kinds, and makes the resolvers of their subscriptions. */
export function runResolvers(graphs: readonly RunGraph[], runs: RunSource, nodes: NodeRegistry): object[] {
  return graphs.map(({ definition: { kind }, Progress }) => {
    nodes.register(runTypeName(kind), async ({ workspaceId }, id) => {
      const row = await runs.get(workspaceId, id);
      return row?.kind === kind ? runObject(row) : null;
    });
    return new Progress(runs);
  });
}
