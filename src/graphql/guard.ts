import { defaultFieldResolver, isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';
import { neededRole, type GraphContext } from '../graphql-kit/index.js';
import { isAllowed, type Role } from '../kernel/caller.js';
import { GraftError } from '../kernel/errors.js';

type Field = GraphQLField<unknown, GraphContext>;

/** @throws FORBIDDEN unless the caller has the role; nobody has one that a field doesn't declare */
function admit({ caller }: GraphContext, field: string, needed: Role | undefined): void {
  if (needed === undefined) throw new GraftError('FORBIDDEN', `${field} declares no role, so nobody may ask for it.`);
  if (isAllowed(caller.role, needed)) return;
  throw new GraftError('FORBIDDEN', `${field} needs role ${needed}; yours is ${caller.role}.`, {
    hint: `Use a key with role ${needed}; an administrator makes one with \`graft keys create --role ${needed}\`.`,
  });
}

function guard(field: Field, name: string, needed: Role | undefined): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  if (subscribe)
    field.subscribe = (source, args, context, info) => {
      admit(context, name, needed);
      return subscribe(source, args, context, info);
    };
  else
    field.resolve = (source, args, context, info) => {
      admit(context, name, needed);
      return resolve(source, args, context, info);
    };
}

/** The fields of operations, `Query.ask`, with the role that each declares. */
export function* operationFields(
  schema: GraphQLSchema,
): Generator<{ name: string; field: Field; needed: Role | undefined }> {
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
    for (const field of Object.values(type?.getFields() ?? {}) as Field[])
      yield { name: `${type!.name}.${field.name}`, field, needed: neededRole(field) };
}

/**
 * The one place where roles are enforced: every field of an operation, and every other that declares a role, asks for it before it is
 * resolved. It is in the schema, so it holds for whatever executes the schema: HTTP, WebSocket, SSE.
 * The role that a field needs is added to its description.
 */
export function guardFields(schema: GraphQLSchema): void {
  const guarded = [...operationFields(schema)];
  const roots = new Set(guarded.map(({ field }) => field));
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()) as Field[]) {
      const needed = neededRole(field);
      if (needed !== undefined && !roots.has(field))
        guarded.push({ name: `${type.name}.${field.name}`, field, needed });
    }
  }
  for (const { name, field, needed } of guarded) {
    guard(field, name, needed);
    if (needed !== undefined && field.description) field.description += ` Needs role ${needed}.`;
  }
}
