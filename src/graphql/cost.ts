import { createRequire } from 'node:module';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type * as QueryComplexity from 'graphql-query-complexity';
import { itemsAskedFor } from '../graphql-kit/index.js';
import { tooComplex, type Limits } from './limits.js';

// Its ESM build imports a second copy of graphql ("another realm"); its CommonJS build shares ours.
const { getComplexity, fieldExtensionsEstimator } = createRequire(import.meta.url)(
  'graphql-query-complexity',
) as typeof QueryComplexity;

/** More fields than any document below the token limit can reach without fragments that multiply them. */
const MOST_NODES = 10_000;

/** A field costs 1 and what is selected below it, times the items it may return; a field may declare its own `cost`. */
const estimators: QueryComplexity.ComplexityEstimator[] = [
  fieldExtensionsEstimator(),
  ({ args, childComplexity }) => 1 + itemsAskedFor(args) * childComplexity,
];

export interface CostedOperation {
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

/** @throws QUERY_TOO_COMPLEX when the operation costs more than allowed */
export function checkCost(schema: GraphQLSchema, operation: CostedOperation, limits: Limits): void {
  const value = operationCost(schema, operation);
  if (value !== null && value > limits.cost) throw tooComplex('cost', value, limits.cost);
}
