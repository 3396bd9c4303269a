import { badInput } from '../../kernel/errors.js';
import { isUuid, type Uuid } from '../../kernel/ids.js';

const TYPE_NAME = /^[A-Z][A-Za-z0-9]*$/;

/** The id that clients see: type and row id in one opaque string, so that `node` knows where to look. */
export const toGlobalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64url');

/**
 * @returns the type and row id inside a global id
 * @throws BAD_USER_INPUT when no Graft made it
 */
export function parseGlobalId(globalId: string, field: string): { type: string; id: Uuid } {
  const text = Buffer.from(globalId, 'base64url').toString('utf8');
  const colon = text.indexOf(':');
  const type = text.slice(0, colon);
  const id = text.slice(colon + 1);
  // Decoding is lenient (it skips what is not base64), so only the text that encodes back to itself counts.
  if (colon < 1 || !TYPE_NAME.test(type) || !isUuid(id) || toGlobalId(type, id) !== globalId)
    throw badInput(
      field,
      `${field} is not an id that this API returned.`,
      'Send an `id` field of an earlier response.',
    );
  return { type, id };
}

/** @throws BAD_USER_INPUT when the id is malformed, or names another type than the expected one (or ones) */
export function fromGlobalId(globalId: string, type: string | readonly string[], field: string): Uuid {
  const expected = typeof type === 'string' ? [type] : type;
  const parsed = parseGlobalId(globalId, field);
  if (!expected.includes(parsed.type))
    throw badInput(field, `${field} is the id of a ${parsed.type}; the id of a ${expected.join(' or ')} is expected.`);
  return parsed.id;
}
