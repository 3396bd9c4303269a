/** The scalars beyond GraphQL's own; use these in `@Field(() => DateTime)` so that the schema knows one of each. */
export { GraphQLBigInt as BigIntScalar, GraphQLDateTime as DateTime, GraphQLJSON as JsonScalar } from 'graphql-scalars';
