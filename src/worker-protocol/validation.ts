import type { z } from 'zod';
import { GraftError } from '../kernel/errors.js';
import { gatewayMessage, workerMessage, type GatewayMessage, type WorkerMessage } from './messages.js';
import type { ChunkOf, InputOf, NameOf, OperationDefinition, Operations, OutputOf } from './operation.js';

/** @throws PROTOCOL_ERROR whose `field` is the first field at fault; the value itself is never quoted, it may hold users' text */
function check<T>(schema: z.ZodType<T>, value: unknown, subject: string, prefix = ''): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = prefix + (issue?.path.map(String).join('.') ?? '');
  const where = field === '' ? 'the message' : field;
  throw new GraftError('PROTOCOL_ERROR', `${subject}: ${where} is not valid (${issue?.message ?? 'unknown reason'}).`, {
    field: field === '' ? undefined : field,
  });
}

/** A message that the gateway sent. @throws PROTOCOL_ERROR naming the field */
export const parseGatewayMessage = (value: unknown): GatewayMessage =>
  check(gatewayMessage as z.ZodType<GatewayMessage>, value, 'Message to the worker');

/** A message that a worker sent. @throws PROTOCOL_ERROR naming the field */
export const parseWorkerMessage = (value: unknown): WorkerMessage =>
  check(workerMessage as z.ZodType<WorkerMessage>, value, 'Message from the worker');

/** @throws PROTOCOL_ERROR for a name that is none of the operations */
export function operationOf<Ops extends Operations>(operations: Ops, name: string): NameOf<Ops> {
  if (Object.hasOwn(operations, name)) return name;
  throw new GraftError('PROTOCOL_ERROR', `Message to the worker: there is no operation ${JSON.stringify(name)}.`, {
    field: 'operation',
  });
}

/** @throws PROTOCOL_ERROR naming the field */
export const parseInput = <D extends OperationDefinition>(name: string, { input }: D, value: unknown): InputOf<D> =>
  check(input as z.ZodType<InputOf<D>>, value, `Input of ${name}`, 'input.');

/** @throws PROTOCOL_ERROR naming the field */
export const parseOutput = <D extends OperationDefinition>(name: string, { output }: D, value: unknown): OutputOf<D> =>
  check(output as z.ZodType<OutputOf<D>>, value, `Output of ${name}`, 'output.');

/** @throws PROTOCOL_ERROR naming the field, or that the operation streams nothing */
export function parseChunk<D extends OperationDefinition>(name: string, { chunk }: D, value: unknown): ChunkOf<D> {
  if (chunk === null) throw new GraftError('PROTOCOL_ERROR', `${name} has no chunks.`, { field: 'kind' });
  return check(chunk as z.ZodType<ChunkOf<D>>, value, `Chunk of ${name}`, 'data.');
}

/** The id of a message that could not be parsed, so that its sender can be told; null when it has none. */
export function idOf(value: unknown): string | null {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === 'string' && id.length > 0 && id.length <= 64 ? id : null;
}
