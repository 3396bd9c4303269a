/** The scalars beyond GraphQL's own; use these in `@Field(() => DateTime)` so that the schema knows one of each. */
import { GraphQLError, GraphQLScalarType, type ValueNode } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';

export { GraphQLBigInt as BigIntScalar, GraphQLJSON as JsonScalar } from 'graphql-scalars';

/** @throws GraphQLError on the year 0, which PostgreSQL hasn't got */
function ofOurEra(date: Date): Date {
  if (date.getUTCFullYear() < 1) throw new GraphQLError('DateTime has no year before 0001.');
  return date;
}

export const DateTime = new GraphQLScalarType<Date, Date>({
  ...GraphQLDateTime.toConfig(),
  parseValue: (value: unknown) => ofOurEra(GraphQLDateTime.parseValue(value)),
  parseLiteral: (node: ValueNode) => ofOurEra(GraphQLDateTime.parseLiteral(node)),
});
