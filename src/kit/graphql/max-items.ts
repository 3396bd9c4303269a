import type { GraphQLArgument, GraphQLInputField } from 'graphql';
import { Extensions } from 'type-graphql';

/** What a list of input may hold where nothing else is said. */
const DEFAULT_MAX_ITEMS = 100;

/**
 * The most items of a list field of an input type, where more than `DEFAULT_MAX_ITEMS` make sense. It is enforced on the
 * variables of a request before they are coerced; the field's description says the same number.
 */
export const MaxItems = (maxItems: number): PropertyDecorator & MethodDecorator => Extensions({ maxItems });

/** The most items that a list argument or field may hold. */
export function mostItems({ extensions }: GraphQLArgument | GraphQLInputField): number {
  const { maxItems } = extensions as { maxItems?: number };
  return maxItems ?? DEFAULT_MAX_ITEMS;
}
