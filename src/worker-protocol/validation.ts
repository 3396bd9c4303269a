import type { z } from 'zod';
import { GraftError } from '../kernel/errors.js';
import { gatewayMessage, workerMessage, type GatewayMessage, type WorkerMessage } from './messages.js';
import { OPERATIONS, type InputOf, type Operation, type OutputOf, type GenerateChunk } from './operations.js';

/** @throws PROTOCOL_ERROR whose `field` is the first field at fault; the value itself is never quoted, it may hold users' text */
function check<T>(schema: z.ZodType<T>, value: unknown, what: string, prefix = ''): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = prefix + (issue?.path.map(String).join('.') ?? '');
  const where = field === '' ? 'the message' : field;
  throw new GraftError('PROTOCOL_ERROR', `${what}: ${where} is not valid (${issue?.message ?? 'unknown reason'}).`, {
    field: field === '' ? undefined : field,
  });
}

/** A message that the gateway sent. @throws PROTOCOL_ERROR naming the field */
export const parseGatewayMessage = (value: unknown): GatewayMessage =>
  check(gatewayMessage as z.ZodType<GatewayMessage>, value, 'Message to the worker');

/** A message that a worker sent. @throws PROTOCOL_ERROR naming the field */
export const parseWorkerMessage = (value: unknown): WorkerMessage =>
  check(workerMessage as z.ZodType<WorkerMessage>, value, 'Message from the worker');

/** @throws PROTOCOL_ERROR naming the field */
export const parseInput = <O extends Operation>(operation: O, value: unknown): InputOf<O> =>
  check(OPERATIONS[operation].input as unknown as z.ZodType<InputOf<O>>, value, `Input of ${operation}`, 'input.');

/** @throws PROTOCOL_ERROR naming the field */
export const parseOutput = <O extends Operation>(operation: O, value: unknown): OutputOf<O> =>
  check(OPERATIONS[operation].output as unknown as z.ZodType<OutputOf<O>>, value, `Output of ${operation}`, 'output.');

/** @throws PROTOCOL_ERROR naming the field */
export const parseGenerateChunk = (value: unknown): GenerateChunk =>
  check(OPERATIONS.generate.chunk as z.ZodType<GenerateChunk>, value, 'Chunk of generate', 'data.');

/** The id of a message that could not be parsed, so that its sender can be told; null when it has none. */
export function idOf(value: unknown): string | null {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === 'string' && id.length > 0 && id.length <= 64 ? id : null;
}
