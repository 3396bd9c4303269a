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

/** What a GET's query string or a POST's body asks for; null where it is malformed. */
export function parametersOf(request: FastifyRequest): RequestParameters | null {
  const raw = (request.method === 'GET' ? request.query : request.body) as RawParameters | null | undefined;
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
