import { readFileSync } from 'node:fs';
import { parse, type OperationDefinitionNode } from 'graphql';
import { GraftClientError } from '../graft-client.js';

/** What the build wrote: beside the sources, since the compiler leaves it where it is. */
const READY = new URL('../../../../src/client/operations/generated/ready.json', import.meta.url);

/** An operation of `schema/operations`. */
export interface ReadyOperation {
  /** The group that it stands in, in the Playground and in lists. */
  flow: string;
  name: string;
  kind: OperationDefinitionNode['operation'];
  /** What it is for. */
  description: string;
  /** The document as it is sent, and listed: with the fragments that it takes. */
  text: string;
  variables: OperationDefinitionNode['variableDefinitions'];
  /** JSON of variables that fit; empty where it takes none. */
  example: string;
}

/** Every ready operation, in the order of the Playground's sidebar: what the build wrote of each. */
export function readyOperations(): ReadyOperation[] {
  const operations = JSON.parse(readFileSync(READY, 'utf8')) as Omit<ReadyOperation, 'variables'>[];
  return operations.map(({ flow, name, kind, description, text, example }) => {
    const { variableDefinitions: variables } = parse(text).definitions[0] as OperationDefinitionNode;
    return { flow, name, kind, description: description.replaceAll('\n', ' '), text, variables, example };
  });
}

/** @throws GraftClientError NOT_FOUND that names those alike */
export function readyOperation(name: string): ReadyOperation {
  const operations = readyOperations();
  const lowerName = name.toLowerCase();
  const match = operations.find((operation) => operation.name.toLowerCase() === lowerName);
  if (match) return match;
  const alike = operations
    .filter((operation) => operation.name.toLowerCase().includes(lowerName))
    .map((operation) => operation.name);
  throw new GraftClientError(
    'NOT_FOUND',
    `There is no operation "${name}".`,
    alike.length > 0 ? `Did you mean ${alike.join(' or ')}?` : '`graft operations` lists them.',
  );
}
