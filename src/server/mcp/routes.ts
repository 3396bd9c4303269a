import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestParamsSchema,
  CallToolRequestSchema,
  ErrorCode,
  JSONRPCMessageSchema,
  ListToolsRequestSchema,
  McpError,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { httpStatus, retryAfterSeconds, transportError } from '../graphql/errors.js';
import { ResponseLifetime } from '../graphql/request-scope.js';
import type { ServerKit } from '../graphql/server.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { toolsOf, type ReadyTool } from './tools.js';

/** Aborts when the agent for which an operation is called leaves. */
const agent = new AsyncLocalStorage<AbortSignal>();

const NOT_ALLOWED = { jsonrpc: '2.0', error: { code: -32_000, message: 'Method not allowed.' }, id: null };

/** JSON-RPC 2.0, section 5.1, for what is refused before there is a request: no JSON, a client's fault, Graft's own, and what passes. */
function rpcCode(error: unknown, status: number): number {
  if (isGraftError(error, 'BAD_REQUEST')) return ErrorCode.ParseError;
  if (status < 500) return ErrorCode.InvalidRequest;
  return status === 500 ? ErrorCode.InternalError : -32_000;
}

/** What a caller is known by, passed on to the operation; nothing else of a request is. */
const PASSED_ON = ['authorization', 'host', 'origin'] as const;

/**
 * `/mcp`: the operations of `schema/operations` as tools for agents (Model Context Protocol over HTTP, without sessions). A call goes through
 * `/graphql`, so keys, roles, budgets and limits are those of every other client; what is no operation of the list can't be sent.
 */
export function addMcp(server: FastifyInstance, version: string, kit: ServerKit): void {
  let tools: Map<string, ReadyTool> | null = null;
  // `inject` has a signal, but lets go of it once the body is read.
  server.addHook('onRequest', (_request, { raw }, callback) => {
    const abortSignal = agent.getStore();
    if (abortSignal?.aborted) raw.destroy();
    else abortSignal?.addEventListener('abort', () => raw.destroy(), { once: true });
    callback();
  });
  // Whoever asks for a stream or the end of a session is to be told that there is none; 404 is an error to clients.
  const config = { role: 'ASK' as const };
  for (const method of ['GET', 'DELETE'])
    server.route({
      method,
      url: '/mcp',
      config,
      handler: (_request, reply) => reply.code(405).header('allow', 'POST').send(NOT_ALLOWED),
    });
  const errorHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const mappedError = isGraftError(error) ? error : (transportError(error) ?? error);
    const { message, extensions } = kit.presenter.presentPlain(mappedError, request.id);
    const status = httpStatus(extensions.code);
    const wait = retryAfterSeconds(mappedError, status);
    if (wait !== null) void reply.header('retry-after', `${wait}`);
    const rpcError = { code: rpcCode(error, status), message, data: extensions };
    return reply.code(status).header('cache-control', 'no-store').send({ jsonrpc: '2.0', error: rpcError, id: null });
  };
  const options = { errorHandler, config };
  server.post('/mcp', options, async (request, reply) => {
    const { body } = request;
    if (body === undefined) throw new GraftError('BAD_REQUEST', 'The body is empty.');
    if (![body].flat().every((message) => JSONRPCMessageSchema.safeParse(message).success))
      throw new GraftError('BAD_USER_INPUT', 'The body is no JSON-RPC 2.0 message.');
    if (kit.isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
    tools ??= toolsOf(kit.schema);
    const mcp = serverOf(tools, version, (document, variables) =>
      send(server, request, { query: document, variables }, new ResponseLifetime(reply.raw).signal),
    );
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    reply.raw.on('close', () => void mcp.close());
    reply.hijack();
    await mcp.connect(transport);
    await kit.underWay(transport.handleRequest(request.raw, reply.raw, body));
  });
}

/** Its params are looked at by the library behind this form: it tells wrong ones as -32602, where those of a form are -32603. */
const TOOL_CALL = CallToolRequestSchema.extend({ params: z.unknown().optional() });

type Send = (document: string, variables: Record<string, unknown>) => Promise<CallToolResult>;

function serverOf(tools: ReadonlyMap<string, ReadyTool>, version: string, sendOperation: Send): Server {
  const mcp = new Server({ name: 'graft', version }, { capabilities: { tools: {} } });
  mcp.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...tools.values()].map(({ tool }) => tool) }));
  mcp.setRequestHandler(TOOL_CALL, ({ params }) => {
    const { name, arguments: variables = {} } = CallToolRequestParamsSchema.parse(params);
    const tool = tools.get(name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${JSON.stringify(name.slice(0, 80))}.`);
    return sendOperation(tool.document, variables);
  });
  return mcp;
}

async function send(
  server: FastifyInstance,
  { headers, ip }: FastifyRequest,
  payload: { query: string; variables: Record<string, unknown> },
  /** Aborts when the agent leaves: then the operation's own client is gone, too. */
  signal: AbortSignal,
): Promise<CallToolResult> {
  const passed = PASSED_ON.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
  const injected = async () => {
    const response = await server.inject({
      method: 'POST',
      url: '/graphql',
      remoteAddress: ip,
      payload,
      headers: { ...(Object.fromEntries(passed) as Record<string, string>), 'content-type': 'application/json' },
    });
    return response.json<{ data?: Record<string, unknown> | null; errors?: object[] }>();
  };
  const { data, errors } = await agent.run(signal, injected);
  const outcome = errors ? { errors, ...(data && { data }) } : (data ?? {});
  return {
    content: [{ type: 'text', text: JSON.stringify(outcome) }],
    structuredContent: { ...outcome },
    ...(errors && { isError: true }),
  };
}
