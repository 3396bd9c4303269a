import type { Json } from '../../kernel/stored-json.js';
import { Prisma } from './generated/client.js';

/** Encoded JSON as Prisma takes it for a column: it tells JSON's null from the absence of a value. */
export const asColumn = (json: Json): Prisma.InputJsonValue | typeof Prisma.JsonNull => json ?? Prisma.JsonNull;
