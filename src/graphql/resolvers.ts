import { askResolverClasses } from '../ask/index.js';
import { dataResolverClasses } from '../data/index.js';
import { knowledgeResolverClasses } from '../knowledge/index.js';
import { DownloadRunResolver, ModelResolver, ModelVariantResolver } from '../registry/index.js';
import { NodeResolver, RunResolver } from './runs-graphql.js';
import { SystemResolver } from './system-graphql.js';

type ResolverClass = new (...args: never[]) => object;

/** Every resolver of the product: the schema is printed from this list, and `main.ts` has to make one instance of each. */
export const RESOLVERS: readonly ResolverClass[] = [
  NodeResolver,
  RunResolver,
  SystemResolver,
  ModelResolver,
  ModelVariantResolver,
  DownloadRunResolver,
  ...knowledgeResolverClasses,
  ...askResolverClasses,
  ...dataResolverClasses,
];

/**
 * The instances in the order of the list, as `buildGraphSchema` takes them.
 * @throws Error naming a resolver that has no instance, or an instance that is not in the list
 */
export function completeResolvers(instances: readonly object[]): object[] {
  for (const instance of instances)
    if (!RESOLVERS.some((known) => instance instanceof known))
      throw new Error(`${instance.constructor.name} is not in RESOLVERS (src/graphql/resolvers.ts)`);
  return RESOLVERS.map((known) => {
    const instance = instances.find((each) => each instanceof known);
    if (!instance) throw new Error(`${known.name} has no instance`);
    return instance;
  });
}
