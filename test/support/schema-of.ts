import { NodeResolver, RunResolver } from '../../src/server/graphql/runs-graphql.js';
import { buildGraphSchema } from '../../src/server/graphql/schema.js';
import { NodeRegistry } from '../../src/kit/graphql/index.js';
import type { Opened, TestPlatform } from './test-platform.js';

/** The schema of open domains, and what finds their objects. */
export function schemaOf(test: TestPlatform, domains: Opened) {
  const nodes = new NodeRegistry();
  const { runs } = test.platform;
  const resolvers = Object.values(domains).flatMap(({ offer }) => offer.resolvers(nodes));
  return { nodes, schema: buildGraphSchema([new NodeResolver({ nodes }), new RunResolver({ runs }), ...resolvers]) };
}
