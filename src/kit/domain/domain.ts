import { makeResolvers, runResolvers, type NodeRegistry, type ResolverList, type RunGraph } from '../graphql/index.js';
import type { Chore } from '../../platform/chores.js';
import type { HandledKind, RunQueue } from '../../platform/runs/index.js';

/** A kind of runs with its GraphQL side, and who does its work given the parts of its domain: `runGraph(kind.handledBy(…))`. */
type DomainRuns<Parts> = RunGraph & HandledKind<Parts>;

/** What a domain has, whether or not anything of it is open: the schema is printed from this, and the queue takes its kinds. */
interface Domain<Parts> extends ResolverList<Parts> {
  readonly runs: readonly DomainRuns<Parts>[];
}

/** Whatever its parts are. */
export type AnyDomain = Domain<never>;

/** The kinds of runs of these domains: the queue is opened with them. */
export const runsOf = (domains: readonly AnyDomain[]): DomainRuns<never>[] => domains.flatMap(({ runs }) => runs);

/** What a domain gives to who opens it, beside the services that other domains use. */
export interface Offer {
  /** An instance of each of its resolvers; its types, runs included, are registered with `nodes`. */
  resolvers(nodes: NodeRegistry): object[];
  /** Tells the queue who does its runs. Call it before the queue starts. */
  handleRuns(): void;
  /** What a gateway does again and again while it answers. */
  readonly chores: readonly Chore[];
  /** Begins what else goes on by itself; called when the gateway answers. */
  start(): Promise<void> | void;
  /** Ends it and lets go of what the domain holds; called when runs have let go, and also where it never started. */
  stop(): Promise<void> | void;
}

type AnyResolverClass = new (parts: never) => object;

/** All that these take as their parts. In a union of functions `infer` intersects what they take. */
type TakenBy<Class, Handler, Nodes> = ([Class] extends [new (parts: infer Parts) => object] ? Parts : unknown) &
  ([Handler] extends [(parts: infer Parts, context: never) => unknown] ? Parts : unknown) &
  Nodes;

/**
 * States what a domain has. Its parts are whatever its resolvers and the handlers of its runs take together, so that
 * `offer` doesn't compile while one is missing.
 */
export function defineDomain<
  const Class extends AnyResolverClass,
  const Runs extends DomainRuns<never>,
  Nodes = unknown,
>(domain: {
  /** In any order; the subscriptions of `runs` are not among them. */
  classes: readonly Class[];
  runs: readonly Runs[];
  /** Lets `node(id)` find the domain's objects. */
  registerNodes?: (nodes: NodeRegistry, parts: Nodes) => void;
}): Domain<TakenBy<Class, Runs['handler'], Nodes>> {
  // Each takes a share of the intersection, which TypeScript can't see of arrays.
  return domain as unknown as Domain<TakenBy<Class, Runs['handler'], Nodes>>;
}

/** What an open domain gives to who opened it: its definition over its parts, on a queue. */
export function offer<Parts>(
  domain: Domain<Parts>,
  runs: RunQueue,
  parts: NoInfer<Parts>,
  { chores = [], start = () => {}, stop = () => {} }: Partial<Pick<Offer, 'chores' | 'start' | 'stop'>> = {},
): Offer {
  return {
    resolvers: (nodes) => [...makeResolvers(domain, parts, nodes), ...runResolvers(domain.runs, runs, nodes)],
    handleRuns: () => runs.handle(domain.runs, parts),
    chores,
    start,
    stop,
  };
}
