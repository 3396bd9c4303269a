import type { FastifyRequest } from 'fastify';

interface RawParameters {
  query?: unknown;
  operationName?: unknown;
  variables?: unknown;
}

/** The parameters of a GraphQL request over HTTP. */
export interface RequestParameters {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
}

/** A request's query string with its `?`, as Apollo is given it; empty where there is none. */
export function searchOf({ url }: FastifyRequest): string {
  const question = url.indexOf('?');
  return question < 0 ? '' : url.slice(question);
}

/** By the parser of Apollo, which runs the text: another one may read malformed escapes otherwise, and check what isn't run. */
function fromSearch(request: FastifyRequest): RawParameters {
  const parameters = new URLSearchParams(searchOf(request));
  const singleValue = (name: string): string | null | undefined => {
    const values = parameters.getAll(name);
    return values.length > 1 ? null : values[0];
  };
  return {
    query: singleValue('query'),
    operationName: singleValue('operationName'),
    variables: singleValue('variables'),
  };
}

/** What a GET's query string or a POST's body asks for; null where it is malformed. */
export function parametersOf(request: FastifyRequest): RequestParameters | null {
  const raw = (request.method === 'GET' ? fromSearch(request) : request.body) as RawParameters | null | undefined;
  if (typeof raw?.query !== 'string') return null;
  let variables = raw.variables;
  if (request.method === 'GET' && typeof variables === 'string') {
    try {
      variables = JSON.parse(variables);
    } catch {
      return null;
    }
  }
  if (variables !== undefined && variables !== null && (typeof variables !== 'object' || Array.isArray(variables)))
    return null;
  return {
    query: raw.query,
    operationName: typeof raw.operationName === 'string' ? raw.operationName : undefined,
    variables: (variables as Record<string, unknown> | null) ?? undefined,
  };
}
