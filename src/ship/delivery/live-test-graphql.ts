/** What the API does alike with rollouts, experiments and shadows: commands, decisions and events. */
import {
  Arg,
  Args,
  Ctx,
  FieldResolver,
  ID,
  Mutation,
  Resolver,
  Root,
  Subscription,
  type ClassType,
} from 'type-graphql';
import {
  afterEvent,
  ConnectionArgs,
  cost,
  fromGlobalId,
  mapPage,
  Needs,
  SpendsBudget,
  subscribeWith,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type Spends,
  type StoredEventLike,
  type SubscriptionRequest,
} from '../../kit/graphql/index.js';
import { deciderOf } from '../../kernel/caller.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { encodeCursor, type Page, type PageRequest } from '../../kernel/pagination.js';
import type { WatchedStore } from './subject-store.js';

type ClassOf<T extends object> = new () => T;
type ResolverOf<Parts> = new (parts: Parts) => object;

const nameOf = ({ name }: ClassOf<object>): string => `${name.charAt(0).toLowerCase()}${name.slice(1)}`;

/** What every input of a command has, beside the id under the name of its subject. The rest of it goes into the command. */
interface CommandInput {
  reason: string;
  by?: string | null;
}

interface CommandMutation<Kind> {
  kind: Kind;
  description: string;
  /** Where it says more than which, and why; and what that is, for the API. */
  input?: ClassOf<CommandInput>;
  which?: string;
  spends?: Spends;
}

interface Commanded<Node, Command extends { kind: string }, Parts> {
  type: ClassOf<Node & object>;
  Payload: ClassOf<object>;
  input: ClassOf<CommandInput>;
  mutations: Readonly<Record<string, CommandMutation<Command['kind']>>>;
  apply: (
    parts: Parts,
    workspaceId: WorkspaceId,
    id: string,
    order: { command: Command; by: string; reason: string },
  ) => Promise<Node>;
}

/** The mutations by which people command something that runs, by name; each returns what became of it. */
export function commandsOf<Node, Command extends { kind: string }, Parts>({
  type,
  Payload,
  input: Input,
  mutations,
  apply,
}: Commanded<Node, Command, Parts>): ResolverOf<Parts> {
  const subject = nameOf(type);
  class Commands {
    constructor(readonly parts: Parts) {}
  }
  const prototype = Commands.prototype as object as Record<string, unknown>;
  for (const [name, { kind, description, input = Input, which = 'Which, and why.', spends }] of Object.entries(
    mutations,
  )) {
    prototype[name] = async function (
      this: Commands,
      { by, reason, [subject]: subjectId, ...details }: CommandInput & Record<string, unknown>,
      { workspaceId, caller }: GraphContext,
    ) {
      const id = fromGlobalId(subjectId as string, type.name, `input.${subject}`);
      const order = { command: { kind, ...details } as object as Command, by: deciderOf(caller, by), reason };
      return { [subject]: await apply(this.parts, workspaceId, id, order) };
    };
    Mutation(() => Payload, { description, complexity: cost(10) })(prototype, name, {});
    Arg('input', () => input, { description: which })(prototype, name, 0);
    Ctx()(prototype, name, 1);
    Needs('OPERATE')(prototype, name, {});
    if (spends) SpendsBudget(spends)(prototype, name, {});
  }
  Resolver(() => type)(Commands);
  return Commands;
}

/** The field `decisions` of what keeps them: oldest first. */
export function decisionsOf<Row, Decision extends { id: string }, Parts>(
  type: ClassOf<{ row: { id: string } }>,
  Connection: ClassType<ConnectionOf<Decision>>,
  description: string,
  pageOf: (parts: Parts, id: string, page: PageRequest) => Promise<Page<Row>>,
  toDecision: (row: Row) => Decision,
): ResolverOf<Parts> {
  @Resolver(() => type)
  class Decisions {
    constructor(readonly parts: Parts) {}

    @FieldResolver(() => Connection, { description, complexity: cost(5) })
    async decisions(
      @Root() { row }: { row: { id: string } },
      @Args(() => ConnectionArgs) args: ConnectionArgs,
    ): Promise<ConnectionOf<Decision>> {
      const page = args.request();
      const rows = await pageOf(this.parts, row.id, page);
      return toConnection(mapPage(rows, toDecision), ({ id }) => encodeCursor([id]), page.after);
    }
  }
  return Decisions;
}

interface Followed<Event, Parts> {
  type: ClassOf<object>;
  Event: ClassOf<Event & object>;
  description: string;
  storeOf: (parts: Parts) => Pick<WatchedStore<'rollout' | 'experiment' | 'shadow'>, 'require' | 'stream' | 'events'>;
  read: (event: StoredEventLike, parts: Parts, workspaceId: WorkspaceId) => Event | Promise<Event>;
  isLast: (event: Event) => boolean;
}

/** The subscription to the events of something that runs: those stored, then new ones until it has ended. */
export function eventsOf<Event, Parts>(followed: Followed<Event, Parts>): ResolverOf<Parts> {
  const { type, Event, description, storeOf, read, isLast } = followed;
  const subject = nameOf(type);
  const idName = `${subject}Id`;
  type EventsArgs = Readonly<Record<string, string | null | undefined>>;

  /** @throws BAD_USER_INPUT on the ids, NOT_FOUND */
  async function* follow(parts: Parts, args: EventsArgs, { workspaceId, signal }: GraphContext) {
    const store = storeOf(parts);
    const id = fromGlobalId(args[idName]!, type.name, idName);
    const lastEventId = afterEvent(args['after']);
    const { finishedAt } = await store.require(workspaceId, id, idName);
    yield* store.events.followToEnd(workspaceId, store.stream(id), {
      after: lastEventId,
      signal,
      ended: finishedAt !== null,
      read: async (event) => read(event, parts, workspaceId),
      isLast,
    });
  }

  @Resolver(() => type)
  class Events {
    constructor(readonly parts: Parts) {}

    @Needs('ASK')
    @Subscription(() => Event, {
      name: `${subject}Events`,
      description,
      complexity: cost(5),
      subscribe: subscribeWith(
        () => Events,
        ({ parts }, { args, context }: SubscriptionRequest<EventsArgs>) => follow(parts, args, context),
      ),
    })
    events(
      @Root() event: Event,
      @Arg(idName, () => ID, { description: `Id of the ${subject}.` }) _id: string,
      @Arg('after', () => String, {
        nullable: true,
        description: 'Id of the last event seen; by default from the first on.',
      })
      _after?: string | null,
    ): Event {
      return event;
    }
  }
  return Events;
}
