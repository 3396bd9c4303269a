import type { GraphQLField } from 'graphql';
import { Extensions } from 'type-graphql';
import { Role } from '../../kernel/caller.js';

const EXTENSION = 'needs';

/**
 * Which role a field needs, beside its `@Query`, `@Mutation` or `@Subscription`: `@Needs('EDIT')`. A field of an operation without it
 * answers nobody, and `test/unit/graphql/roles.test.ts` names it; a field below needs it only where it shows more than its object does.
 * It stands in the field's description, and is enforced by `src/server/graphql/guard.ts` for every transport.
 */
export const Needs = (role: Role): MethodDecorator & PropertyDecorator => Extensions({ [EXTENSION]: role });

/** The role that a field declares; undefined where it declares none. */
export const neededRole = (field: Pick<GraphQLField<unknown, unknown>, 'extensions'>): Role | undefined => {
  const role = field.extensions[EXTENSION];
  return typeof role === 'string' && Object.hasOwn(Role, role) ? (role as Role) : undefined;
};
