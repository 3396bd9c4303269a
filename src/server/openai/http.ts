import type { FastifyRequest } from 'fastify';

/** One server-sent event. */
export const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/** Ends a stream of events. */
export const DONE = 'data: [DONE]\n\n';

/** A header's value; null without one. */
export function headerOf(request: Pick<FastifyRequest, 'headers'>, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
