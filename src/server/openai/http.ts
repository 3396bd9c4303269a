import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Role } from '../../kernel/caller.js';
import type { Change } from '../../kit/graphql/index.js';
import type { AuditHook } from '../graphql/uploads.js';

/** How addresses are declared and answered. */
export interface Addressing {
  options: {
    errorHandler: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => FastifyReply;
    config: { role: Role };
  };
  /** Sends what the work comes to, unless the gateway is shutting down. */
  answer: (reply: FastifyReply, work: () => Promise<unknown>) => Promise<FastifyReply>;
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

/** A time as OpenAI's clients read it: in whole seconds. */
export const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1_000);
