import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  Kind,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isRequiredInputField,
  print,
  typeFromAST,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import { followDocument, RUN_TYPE } from '../client/operations/following.js';
import { MeDocument } from '../client/operations/index.js';
import type { ReadyOperation } from '../client/operations/ready.js';
import { packageRoot } from '../platform/package-root.js';
import { followRun, runState, type RunEvent } from './follow-run.js';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Types whose values are text, whatever they look like: `question=2024`, `after=123e4567`. */
const OF_TEXT = ['String', 'ID', 'DateTime'];

/** What `text` stands for where this type is wanted: `12`, `true`, `["a"]` are JSON; anything else is text, and so is all that a type of text takes but `null`. */
function valueOf(text: string, type: GraphQLInputType | undefined, path: string): Json {
  const nullable = type && getNullableType(type);
  if (text === 'null' && type === nullable) return null;
  const namedType = nullable && getNamedType(nullable);
  if (namedType && OF_TEXT.includes(namedType.name) && !(isListType(nullable) && text.startsWith('['))) return text;
  if (isInputObjectType(namedType)) return isListType(nullable) ? objectsIn(text, path) : objectIn(text, path);
  try {
    const value = JSON.parse(text) as Json;
    return changesWhenSent(value, text) ? text : value;
  } catch {
    return text;
  }
}

/** Infinity would be sent as null, and a whole number beyond 2^53 as its neighbour. */
const changesWhenSent = (value: Json, text: string): boolean =>
  value === Infinity || value === -Infinity || (/^-?\d+$/.test(text) && !Number.isSafeInteger(value));

/** @throws GraftClientError BAD_USER_INPUT */
export function objectIn(text: string, path: string | null): { [key: string]: Json } {
  const { value, why } = parsed(text);
  if (isObject(value)) return value;
  throw new GraftClientError(
    'BAD_USER_INPUT',
    `${path ?? `"${text}"`} is no JSON object: ${why}.`,
    `Write it as '{"name": "value"}'.`,
  );
}

/** Objects, or one, which GraphQL takes for a list of it. @throws GraftClientError BAD_USER_INPUT */
function objectsIn(text: string, path: string): Json {
  const { value, why } = parsed(text);
  if (isObject(value) || Array.isArray(value)) return value;
  throw new GraftClientError(
    'BAD_USER_INPUT',
    `${path} is no JSON array of objects: ${why}.`,
    `Write it as '[{"name": "value"}]'.`,
  );
}

function parsed(text: string): { value?: Json; why: string } {
  try {
    return { value: JSON.parse(text) as Json, why: 'it is none' };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

/**
 * Variables from arguments: one JSON object, or `path=value` pairs such as `input.adapter=routing`, where a name that is no variable
 * of the operation is a field of its `input`. An `idempotencyKey` that the input wants and nobody gave is drawn.
 * @throws GraftClientError BAD_USER_INPUT
 */
export function variablesOf(operation: ReadyOperation, argumentList: readonly string[]): Record<string, Json> {
  const variables: { [key: string]: Json } = {};
  const names = (operation.variables ?? []).map(({ variable }) => variable.name.value);
  const inputPath = (path: string[]): string[] =>
    names.includes(path[0]!) || !names.includes('input') ? path : ['input', ...path];
  for (const argument of argumentList) {
    if (argument.startsWith('{')) {
      for (const [name, value] of Object.entries(objectIn(argument, null)))
        if (name === 'input' && isObject(value)) variables.input = { ...inputIn(variables), ...value };
        else put(variables, inputPath([name]), value);
      continue;
    }
    const separatorIndex = argument.indexOf('=');
    if (separatorIndex < 1)
      throw new GraftClientError('BAD_USER_INPUT', `"${argument}" is neither path=value nor a JSON object.`, null);
    const path = inputPath(argument.slice(0, separatorIndex).split('.'));
    put(variables, path, valueOf(argument.slice(separatorIndex + 1), typeAt(operation, path), path.join('.')));
  }
  if (takesKey(operation)) {
    const input = inputIn(variables);
    input.idempotencyKey ??= crypto.randomUUID();
    variables.input = input;
  }
  checkGiven(operation, variables);
  return variables;
}

/** @throws GraftClientError BAD_USER_INPUT */
function inputIn({ input = {} }: { [key: string]: Json }): { [key: string]: Json } {
  if (isObject(input)) return input;
  throw new GraftClientError('BAD_USER_INPUT', 'input is no JSON object.', `Write it as '{"name": "value"}'.`);
}

function put(target: { [key: string]: Json }, [first, ...rest]: string[], value: Json): void {
  if (first === undefined || ['__proto__', 'constructor', 'prototype'].includes(first)) return;
  if (rest.length === 0) target[first] = value;
  else {
    const inner = target[first];
    put(isObject(inner) ? inner : (target[first] = {}), rest, value);
  }
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

let schema: GraphQLSchema | undefined;

/** The type of a variable, or of what stands within it, as the committed schema has it; undefined where it has none. */
function typeAt({ variables }: ReadyOperation, [name, ...path]: string[]): GraphQLInputType | undefined {
  const declared = variables?.find(({ variable }) => variable.name.value === name);
  if (!declared) return undefined;
  schema ??= buildSchema(readFileSync(join(packageRoot(), 'schema', 'schema.graphql'), 'utf8'), { assumeValid: true });
  let type = typeFromAST(schema, declared.type as never) as GraphQLInputType | undefined;
  for (const field of path) {
    const namedType = type && getNamedType(type);
    type = isInputObjectType(namedType) ? namedType.getFields()[field]?.type : undefined;
  }
  return type;
}

/** The type of the operation's `$input`; null where it has none. */
function inputOf(operation: ReadyOperation): GraphQLInputObjectType | null {
  const type = typeAt(operation, ['input']);
  const namedType = type && getNamedType(type);
  return isInputObjectType(namedType) ? namedType : null;
}

const takesKey = (operation: ReadyOperation): boolean => 'idempotencyKey' in (inputOf(operation)?.getFields() ?? {});

/** What an operation takes: a variable, or a field of its `input`. */
interface OperationArgument {
  name: string;
  /** As GraphQL writes it. */
  type: string;
  /** Whether it must be given. */
  needed: boolean;
  description: string;
}

/** What `graft call` may be given for it; a key that is drawn need not. */
export function takenBy(operation: ReadyOperation): OperationArgument[] {
  const fields = Object.values(inputOf(operation)?.getFields() ?? {}).map((field) => ({
    name: field.name,
    type: String(field.type),
    needed: isRequiredInputField(field) && field.name !== 'idempotencyKey',
    description: field.description ?? '',
  }));
  const variables = (operation.variables ?? [])
    .map(({ variable, type, defaultValue }) => ({
      name: variable.name.value,
      type: print(type),
      needed: type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined,
      description: '',
    }))
    .filter(({ name }) => name !== 'input' || fields.length === 0);
  return [...variables, ...fields].sort((a, b) => Number(b.needed) - Number(a.needed));
}

/** @throws GraftClientError BAD_USER_INPUT that names what is given and not taken, or what must be given and isn't */
function checkGiven(operation: ReadyOperation, variables: { [key: string]: Json }): void {
  const { input } = variables;
  const values = { ...variables, ...(isObject(input) && input) };
  const parameters = takenBy(operation);
  const names = ['input', ...parameters.map(({ name }) => name)];
  const unknown = Object.keys(values).filter((name) => !names.includes(name));
  const missing = parameters.filter(({ name, needed }) => needed && values[name] === undefined);
  if (unknown.length === 0 && missing.length === 0) return;
  throw new GraftClientError(
    'BAD_USER_INPUT',
    unknown.length > 0
      ? `${operation.name} takes no ${unknown.join(', ')}.`
      : `${operation.name} needs ${missing.map(({ name, type }) => `${name} (${type})`).join(', ')}.`,
    `\`graft operations ${operation.name}\` says what it takes.`,
  );
}

/** What stands in `data` at `a.b.0.c`. @throws GraftClientError NOT_FOUND */
export function pick(data: unknown, path: string): unknown {
  let value = data;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[key];
  if (value === undefined)
    throw new GraftClientError(
      'NOT_FOUND',
      `The result has nothing at "${path}".`,
      'Leave --pick out to see all of it.',
    );
  return value;
}

interface Started {
  run: { id: string };
}

/** The run that a mutation began; null when it began none. */
export function runOf(data: unknown): string | null {
  for (const payload of Object.values((data ?? {}) as Record<string, Partial<Started> | null>))
    if (typeof payload?.run?.id === 'string') return payload.run.id;
  return null;
}

/** Follows a run of any kind to its end. @throws GraftClientError when it failed or was cancelled */
export async function followAnyRun(client: GraftClient, runId: string): Promise<void> {
  const { node } = await client.request<{ node: { __typename: string } | null }>(RUN_TYPE, { id: runId });
  const stem = node?.__typename.replace(/Run$/, '');
  if (!stem) throw new GraftClientError('NOT_FOUND', 'The run is not there any more.', null);
  const field = `${stem.charAt(0).toLowerCase()}${stem.slice(1)}Progress`;
  const events = client.subscribe<Record<string, RunEvent>>(followDocument(field), { runId });
  await followRun(runId, events, (data) => data[field]!);
}

const ENDED = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

/**
 * The events of a subscription until it has ended, or nobody wants more.
 * @throws GraftClientError SHUTTING_DOWN where the gateway ended it: one that stops completes its streams
 */
export async function* eventsOf(
  client: GraftClient,
  operation: ReadyOperation,
  variables: Record<string, Json>,
  enough: AbortSignal,
): AsyncGenerator<unknown> {
  enough.addEventListener('abort', () => client.close(), { once: true });
  type Event = Record<string, { __typename?: string; status?: string }>;
  let last: Event | undefined;
  for await (last of client.subscribe<Event>(operation.text, variables)) yield last;
  if (enough.aborted) return;
  const event = Object.values(last ?? {})[0];
  if (operation.name === 'AskStream') {
    if (event?.__typename === 'AnswerReady') return;
    throw cutShort('The gateway told no more before the answer was ready.', 'Ask again.');
  }
  if (operation.name.endsWith('Progress')) {
    // Behind the last event of a run that has ended there is none, and before its next one neither.
    const isResumed = typeof variables.after === 'string' && typeof variables.runId === 'string';
    const state = event ?? (isResumed ? await runState(client, variables.runId as string) : null);
    if (ENDED.includes(state?.status ?? '')) return;
    throw cutShort(
      'The gateway told no more of the run before it ended.',
      'Where the gateway stopped, the run goes on when it is back. `graft runs` shows it.',
    );
  }
  // No event of the others says that it is the last; whether the gateway stops, its next answer does.
  await client.request(MeDocument);
}

const cutShort = (message: string, hint: string) => new GraftClientError('SHUTTING_DOWN', message, hint);
