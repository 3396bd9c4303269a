import { createRequire } from 'node:module';
import { GraphQLError, isInterfaceType, isObjectType, type DocumentNode, type GraphQLSchema } from 'graphql';
import type * as QueryComplexity from 'graphql-query-complexity';
import { itemsAskedFor, type CostArguments } from '../../kit/graphql/index.js';
import { tooComplex, type Limits } from './limits.js';

// Its ESM build imports a second copy of graphql ("another realm"); its CommonJS build shares ours.
const { getComplexity, fieldExtensionsEstimator } = createRequire(import.meta.url)(
  'graphql-query-complexity',
) as typeof QueryComplexity;

/** More fields than any document below the token limit can reach without fragments that multiply them. */
const MOST_NODES = 10_000;

/** A field costs 1 and what is selected below it, times the items it may return; a field may declare its own `cost`. */
const estimators: QueryComplexity.ComplexityEstimator[] = [
  atLeastOne(fieldExtensionsEstimator()),
  ({ args, childComplexity }) => 1 + itemsAskedFor(args) * childComplexity,
];

/** Arguments are read before they are checked: by a negative one a field would pay for those beside it. */
function atLeastOne(estimator: QueryComplexity.ComplexityEstimator): QueryComplexity.ComplexityEstimator {
  return (field) => {
    const estimate = estimator(field);
    return typeof estimate === 'number' ? Math.max(1, estimate) : estimate;
  };
}

/** What a field costs without what is selected below it, and how often the selection counts for one item. */
function weight(complexity: unknown): { own: number; times: number } | null {
  if (typeof complexity !== 'function') return null;
  const estimate = complexity as (args: CostArguments) => number;
  const ownCost = estimate({ args: {}, childComplexity: 0 });
  return { own: ownCost, times: estimate({ args: {}, childComplexity: 1 }) - ownCost };
}

/** Adds to the description of each field that costs more than a plain one what it costs. */
export function describeCosts(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const { own, times } = weight(field.extensions['complexity']) ?? { own: 1, times: 1 };
      // One that depends on an argument alone says so itself.
      if (!field.description || !Number.isFinite(times) || (own === 1 && times === 1)) continue;
      const selection = times === 1 ? '' : ` and ${times} times its selection`;
      field.description += ` Cost: ${own}${selection}.`;
    }
  }
}

interface CostedOperation {
  document: DocumentNode;
  operationName?: string | null;
  variables?: Readonly<Record<string, unknown>> | null;
}

/**
 * The cost of a valid operation with these variables, in units of one plain field.
 * Null when the variables don't fit: execution refuses them with a better message.
 * @throws QUERY_TOO_COMPLEX when its fragments unfold into too many fields to count
 */
export function operationCost(schema: GraphQLSchema, operation: CostedOperation): number | null {
  try {
    return getComplexity({
      schema,
      query: operation.document,
      variables: operation.variables ?? {},
      ...(operation.operationName ? { operationName: operation.operationName } : {}),
      estimators,
      maxQueryNodes: MOST_NODES,
    });
  } catch (error) {
    if (error instanceof GraphQLError && error.message.startsWith('Query exceeds the maximum allowed number of nodes'))
      throw tooComplex('number of fields with fragments unfolded', MOST_NODES, MOST_NODES - 1);
    return null;
  }
}

/**
 * The cost of an operation whose variables fit.
 * @throws QUERY_TOO_COMPLEX when it is more than allowed
 */
export function checkCost(schema: GraphQLSchema, operation: CostedOperation, limits: Limits): number {
  const value = operationCost(schema, operation);
  if (value !== null && value > limits.cost) throw tooComplex('cost', value, limits.cost);
  return value ?? 0;
}
