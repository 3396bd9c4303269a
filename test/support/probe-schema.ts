import { setTimeout as sleep } from 'node:timers/promises';
import {
  Arg,
  Args,
  Ctx,
  Field,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { GraftError } from '../../src/kernel/errors.js';
import {
  Needs,
  ConnectionArgs,
  connectionTypes,
  fromGlobalId,
  subscribeWith,
  toConnection,
  type GraphContext,
  type SubscriptionRequest,
} from '../../src/kit/graphql/index.js';
import { buildGraphSchema } from '../../src/server/graphql/schema.js';
import { eventually } from './eventually.js';

/** A small real schema that does on command what the product's does on bad days: wait, fail, leak, nest. */

@ObjectType({ description: 'Something in a list.' })
class Item {
  @Field(() => ID, { description: 'Id.' })
  id!: string;

  @Field(() => Item, { nullable: true, description: 'Another one.' })
  next?: Item | null;
}

const { Connection: ItemConnection } = connectionTypes(Item);

@InputType({ description: 'What to ask.' })
class AskProbeInput {
  @Field(() => String, { description: 'The question.' })
  question!: string;
}

/** What happened in resolvers that outlive their request. */
export class ProbeLog {
  started: string[] = [];
  aborted: string[] = [];

  /** Resolves once `name` waits for something. */
  untilStarted(name: string): Promise<void> {
    return untilListed(this.started, `the start of ${name}`, name);
  }

  /** Resolves once `name` was aborted. */
  untilAborted(name: string): Promise<void> {
    return untilListed(this.aborted, `the end of ${name}`, name);
  }
}

/** Takes `name` off the list as soon as it stands there. */
async function untilListed(list: string[], what: string, name: string): Promise<void> {
  await eventually(what, () => list.includes(name));
  list.splice(list.indexOf(name), 1);
}

@Resolver(() => Item)
export class ProbeResolver {
  constructor(private readonly log: ProbeLog) {}

  @Needs('ASK')
  @Query(() => String, { description: 'Says hello.' })
  hello(): string {
    return 'hello';
  }

  @Needs('ASK')
  @Query(() => String, { description: 'Gives back what it got.' })
  echo(@Arg('text', () => String, { description: 'Anything.' }) text: string): string {
    return text;
  }

  @Needs('ASK')
  @Query(() => [String], { description: 'Gives back what it got.' })
  echoAll(@Arg('texts', () => [String], { description: 'At most 100.' }) texts: string[]): string[] {
    return texts;
  }

  @Needs('ASK')
  @Query(() => Item, { description: 'The start of an endless chain.' })
  item(): Item {
    const item: Item = { id: '1' };
    item.next = item;
    return item;
  }

  @Needs('ASK')
  @Query(() => Item, { nullable: true, description: 'An item by its id.' })
  itemById(@Arg('id', () => ID, { description: 'Id of an Item.' }) id: string): Item | null {
    return { id: fromGlobalId(id, 'Item', 'id') };
  }

  @Needs('ASK')
  @Query(() => ItemConnection, { description: 'Items.' })
  items(@Args(() => ConnectionArgs) args: ConnectionArgs) {
    const { first } = args.request();
    return toConnection(
      { items: Array.from({ length: first }, (_, i) => ({ id: String(i) })), hasNextPage: true },
      (item) => item.id,
    );
  }

  @Needs('ASK')
  @Query(() => String, { description: 'Fails unexpectedly, with a secret in the message.' })
  boom(): string {
    throw new Error('connection to db.internal with password hunter2 failed');
  }

  @Needs('ASK')
  @Query(() => String, { description: 'Fails as documented.' })
  refuse(): string {
    throw new GraftError('CONFLICT', 'The thing is busy.', { field: 'input.thing', hint: 'Wait for it.' });
  }

  @Needs('ASK')
  @Query(() => String, { description: 'Waits until its caller is gone, or for `ms`.' })
  async wait(
    @Ctx() { signal }: GraphContext,
    @Arg('ms', () => Int, { description: 'Milliseconds.' }) ms: number,
  ): Promise<string> {
    await this.waitFor('wait', ms, signal);
    return 'waited';
  }

  @Needs('ASK')
  @Query(() => String, { description: 'Stands for the product’s `ask`.' })
  ask(@Arg('input', () => AskProbeInput, { description: 'Input.' }) input: AskProbeInput): string {
    return input.question;
  }

  @Needs('EDIT')
  @Mutation(() => String, { description: 'Changes nothing.' })
  note(@Arg('text', () => String, { description: 'Anything.' }) text: string): string {
    return text;
  }

  @Needs('ASK')
  @Subscription(() => Int, {
    description: 'Counts from 1.',
    subscribe: subscribeWith(
      () => ProbeResolver,
      (resolver, { args, context }: SubscriptionRequest<{ to: number; everyMs: number }>) =>
        resolver.count(args.to, args.everyMs, context.signal),
    ),
  })
  counter(
    @Root() value: number,
    @Arg('to', () => Int, { description: 'Last number.' }) _to: number,
    @Arg('everyMs', () => Int, { defaultValue: 0, description: 'Pause before each number, in ms.' }) _everyMs: number,
  ): number {
    return value;
  }

  @Needs('ASK')
  @Subscription(() => Int, { description: 'Counts 1, then fails unexpectedly.', subscribe: () => failing() })
  failing(@Root() value: number): number {
    return value;
  }

  @Needs('ASK')
  @Subscription(() => Int, { description: 'Fails to start, as documented.', subscribe: () => refusing() })
  refusing(@Root() value: number): number {
    return value;
  }

  @Needs('OPERATE')
  @Subscription(() => Int, { description: 'Never says a word, and does not listen.', subscribe: () => deaf() })
  deaf(@Root() value: number): number {
    return value;
  }

  async *count(to: number, everyMs: number, signal: AbortSignal): AsyncGenerator<number> {
    for (let i = 1; i <= to; i++) {
      if (everyMs > 0) await this.waitFor('counter', everyMs, signal);
      yield i;
    }
  }

  private async waitFor(name: string, ms: number, signal: AbortSignal): Promise<void> {
    this.log.started.push(name);
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      this.log.aborted.push(name);
      throw error;
    }
  }
}

async function* refusing(): AsyncGenerator<number> {
  await sleep(1);
  throw new GraftError('NOT_FOUND', 'There is nothing to watch.');
}

async function* failing(): AsyncGenerator<number> {
  yield 1;
  await sleep(1);
  throw new Error('password hunter2');
}

async function* deaf(): AsyncGenerator<number> {
  await new Promise(() => undefined);
  yield 0;
}

export function probeSchema() {
  const log = new ProbeLog();
  return { schema: buildGraphSchema([new ProbeResolver(log)]), log };
}
