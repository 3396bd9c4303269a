import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  OperationTypeNode,
  typeFromAST,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { readyOperations, type ReadyOperation } from '../../client/operations/ready.js';

type JsonSchema = Record<string, unknown>;

/** An operation of `schema/operations` as an agent sees it. */
interface Tool {
  name: string;
  description: string;
  inputSchema: { type: 'object'; [key: string]: unknown };
  annotations: { readOnlyHint: boolean };
}

/** A tool with the document that it stands for; no other document is ever sent. */
export interface ReadyTool {
  tool: Tool;
  document: string;
}

/** Queries and mutations, by name; subscriptions tell of what goes on, for which a tool has no word. */
export function toolsOf(schema: GraphQLSchema): Map<string, ReadyTool> {
  const ready = readyOperations().filter(({ kind }) => kind !== OperationTypeNode.SUBSCRIPTION);
  return new Map(
    ready.map((operation) => [operation.name, { tool: toolOf(operation, schema), document: operation.text }]),
  );
}

function toolOf({ name, description, kind, variables = [] }: ReadyOperation, schema: GraphQLSchema): Tool {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const { variable, type, defaultValue } of variables) {
    const inputType = typeFromAST(schema, type as never) as GraphQLInputType | undefined;
    if (!inputType) continue;
    properties[variable.name.value] = schemaOf(inputType, 0);
    if (isNonNullType(inputType) && !defaultValue) required.push(variable.name.value);
  }
  return {
    name,
    description,
    inputSchema: { type: 'object', properties, required, additionalProperties: false },
    annotations: { readOnlyHint: kind === OperationTypeNode.QUERY },
  };
}

/** Inputs hold inputs, but none of ours goes deeper. */
const DEEPEST = 8;
const SCALARS: Readonly<Record<string, JsonSchema>> = {
  Int: { type: 'integer' },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  String: { type: 'string' },
  ID: { type: 'string' },
};

function schemaOf(inputType: GraphQLInputType, depth: number): JsonSchema {
  const type = getNullableType(inputType);
  if (isListType(type)) return { type: 'array', items: schemaOf(type.ofType, depth) };
  if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name) };
  if (!isInputObjectType(type)) return SCALARS[type.name] ?? {};
  if (depth === DEEPEST) return { type: 'object' };
  const fields = Object.values(type.getFields());
  const entries = fields.map(({ name, type: fieldType, description }) => [
    name,
    { ...schemaOf(fieldType, depth + 1), ...(description && { description }) },
  ]);
  const requiredFields = fields.filter(
    ({ type: fieldType, defaultValue }) => isNonNullType(fieldType) && defaultValue === undefined,
  );
  return {
    type: 'object',
    properties: Object.fromEntries(entries) as JsonSchema,
    required: requiredFields.map(({ name }) => name),
    additionalProperties: false,
  };
}
