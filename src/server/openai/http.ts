import type {
  FastifyBaseLogger,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { z } from 'zod';
import type { Role } from '../../kernel/caller.js';
import { isGraftError } from '../../kernel/errors.js';
import type { Change } from '../../kit/graphql/index.js';
import type { AuditHook } from '../graphql/uploads.js';
import type { OpenAiError } from './errors.js';
import { checked } from './fields.js';

type ErrorHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** An address, as its requests are checked and `/v1/openapi.json` describes it. */
export interface Description<Body = z.ZodType, Query = z.ZodType, Params = z.ZodType> {
  summary: string;
  /** What is answered: JSON of this form, or bytes; none where all is refused. */
  answer: z.ZodType | 'bytes' | 'none';
  /** Whether it may be answered as server-sent events, too. */
  streams?: boolean;
  body?: Body;
  query?: Query;
  params?: Params;
  /** A form that is sent to it, which is read as it comes. */
  form?: z.ZodType;
  /** Headers that it reads. */
  headers?: readonly ('idempotency-key' | 'x-graft-unit')[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    description?: Description;
  }
}

/** What requests bring has the types of what their schemas make of it. */
export interface Checked extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
}

export type CheckedServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  Checked
>;

const validatorCompiler: FastifySchemaCompiler<unknown> =
  ({ schema }) =>
  (value: unknown) => {
    try {
      return { value: checked(schema as z.ZodType, value) };
    } catch (error) {
      // What is thrown here counts as a failure of the gateway.
      if (!isGraftError(error)) throw error;
      return { error: error as Error };
    }
  };

/** Options of an address for who has this role. */
type OptionsFor = <Body extends z.ZodType, Query extends z.ZodType, Params extends z.ZodType>(
  role: Role,
  description: Description<Body, Query, Params>,
) => {
  errorHandler: ErrorHandler;
  validatorCompiler: FastifySchemaCompiler<unknown>;
  config: { role: Role; description: Description };
  schema: { body: Body; querystring: Query; params: Params };
};

export const optionsWith =
  (errorHandler: ErrorHandler): OptionsFor =>
  (role, description) => {
    const { body, query: querystring, params } = description;
    // Fastify warns of a schema that is named and isn't there.
    const schema = Object.fromEntries(Object.entries({ body, querystring, params }).filter(([, part]) => part));
    return { errorHandler, validatorCompiler, config: { role, description }, schema: schema as never };
  };

/** The parameter of an address, by the name that most have. */
export const ofId = z.object({ id: z.string() });

/** How addresses are declared and answered. */
export interface Addressing {
  optionsFor: OptionsFor;
  errorHandler: ErrorHandler;
  /** Sends what the work comes to, unless the gateway is shutting down. */
  answer: (reply: FastifyReply, work: () => Promise<unknown>) => Promise<FastifyReply>;
  /** An error as clients read it. */
  shown: (request: FastifyRequest, error: unknown) => OpenAiError;
}

export interface NotingParts {
  /** `AccessHooks` of the access domain: writes down who makes a change, around the change. */
  noting: { noted: AuditHook };
}

/** One server-sent event. */
export const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/** Ends a stream of events. */
export const DONE = 'data: [DONE]\n\n';

/** A header's value; null without one. */
export function headerOf(request: Pick<FastifyRequest, 'headers'>, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Writes down who changes what, around the change. */
export const notedBy =
  ({ noting }: NotingParts) =>
  <T>(
    request: Pick<FastifyRequest, 'caller' | 'id'>,
    action: string,
    input: object,
    work: (change: Change) => Promise<T>,
  ) => {
    const change: Change = {};
    return noting.noted({ what: action, caller: request.caller, requestId: request.id, input, change }, () =>
      work(change),
    );
  };

/** Where the caller reaches this gateway, for links into the console. */
export const originOf = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;

/** A time as OpenAI's clients read it: in whole seconds. */
export const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1_000);
