import { defaultFieldResolver, isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';
import { checkRequest, neededRole, spendsOf, type GraphContext, type Spends } from '../../kit/graphql/index.js';
import { isAllowed, type Role } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';

type Field = GraphQLField<unknown, GraphContext>;

/** A field of an operation that is about to be resolved. */
export interface FieldCall {
  /** `startTraining`. */
  readonly name: string;
  readonly operation: 'query' | 'mutation' | 'subscription';
  /** The paid work that it starts; undefined where it starts none. */
  readonly spends: Spends | undefined;
  readonly args: Readonly<Record<string, unknown>>;
  readonly field: Field;
  readonly context: GraphContext;
}

/** What goes around each field that changes or spends something: the audit log and budgets of the access domain. */
export interface FieldHooks {
  resolve(call: FieldCall, work: () => unknown): Promise<unknown>;
  subscribe(call: FieldCall, open: () => unknown): Promise<AsyncIterable<unknown>>;
}

/** @throws FORBIDDEN unless the caller has the role; nobody has one that a field doesn't declare */
function admit({ caller }: GraphContext, field: string, requiredRole: Role | undefined): void {
  if (requiredRole === undefined)
    throw new GraftError('FORBIDDEN', `${field} declares no role, so nobody may ask for it.`);
  if (isAllowed(caller.role, requiredRole)) return;
  throw new GraftError('FORBIDDEN', `${field} needs role ${requiredRole}; yours is ${caller.role}.`, {
    hint: `Use a key with role ${requiredRole}; an administrator makes one with \`graft keys create --role ${requiredRole}\`.`,
  });
}

/** Asks for the role of a field that stands below others. */
function guard(field: Field, name: string, requiredRole: Role): void {
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (source, args, context, info) => {
    admit(context, name, requiredRole);
    return resolve(source, args, context, info);
  };
}

function guardOperation({ name, field, needed, operation }: OperationField, hooks: FieldHooks | undefined): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  const spends = spendsOf(field);
  const hooked = spends !== undefined || operation === 'mutation' ? hooks : undefined;
  const call = (args: FieldCall['args'], context: GraphContext): FieldCall => ({
    name: field.name,
    operation,
    spends,
    args,
    field,
    context,
  });
  if (subscribe)
    field.subscribe = (source, args: FieldCall['args'], context, info) => {
      admit(context, name, needed);
      checkRequest(field, args);
      const open = () => subscribe(source, args, context, info);
      return hooked ? hooked.subscribe(call(args, context), open) : open();
    };
  else
    field.resolve = (source, args: FieldCall['args'], context, info) => {
      admit(context, name, needed);
      checkRequest(field, args);
      const work = () => resolve(source, args, context, info);
      return hooked ? hooked.resolve(call(args, context), work) : work();
    };
}

export interface OperationField {
  /** `Query.ask`. */
  name: string;
  operation: FieldCall['operation'];
  field: Field;
  needed: Role | undefined;
}

/** The fields of operations with the role that each declares. */
export function* operationFields(schema: GraphQLSchema): Generator<OperationField> {
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  for (const [operation, type] of Object.entries(roots))
    for (const field of Object.values(type?.getFields() ?? {}) as Field[])
      yield {
        name: `${type!.name}.${field.name}`,
        operation: operation as FieldCall['operation'],
        field,
        needed: neededRole(field),
      };
}

/**
 * The one place where roles, budgets and the audit log are enforced: every field of an operation, and every other that declares a
 * role, asks before it is resolved. It is in the schema, so it holds for whatever executes the schema: HTTP, WebSocket, SSE.
 * The role that a field needs is added to its description, and whether it spends from a budget.
 */
export function guardFields(schema: GraphQLSchema, hooks?: FieldHooks): void {
  const operations = [...operationFields(schema)];
  const roots = new Set(operations.map(({ field }) => field));
  const nestedFields: { name: string; field: Field; needed: Role }[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()) as Field[]) {
      const requiredRole = neededRole(field);
      if (requiredRole !== undefined && !roots.has(field))
        nestedFields.push({ name: `${type.name}.${field.name}`, field, needed: requiredRole });
    }
  }
  for (const operation of operations) guardOperation(operation, hooks);
  for (const { name, field, needed } of nestedFields) guard(field, name, needed);
  for (const { field, needed } of [...operations, ...nestedFields]) {
    if (needed === undefined || !field.description) continue;
    field.description += ` Needs role ${needed}.`;
    if (spendsOf(field) !== undefined) field.description += ' Asks your budget first.';
  }
}
