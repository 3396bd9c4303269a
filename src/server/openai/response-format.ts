import { z } from 'zod';
import { readSchema, SchemaFault } from '../../answer/ask/index.js';
import { ANY_OBJECT, type JsonForm } from '../../worker-protocol/index.js';
import { anything, objectOf, variantsBy } from './fields.js';

/** A schema by its name, under OpenAI's rule for names. An answer keeps to it with `strict` and without. */
const named = {
  name: z.string().regex(/^[\w-]{1,64}$/, 'must have 1 to 64 letters, digits, underscores or dashes.'),
  schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().optional(),
  description: anything,
};

const type = <T extends string>(name: T) => z.literal(name);
const unnamed = [z.strictObject({ type: type('text') }), z.strictObject({ type: type('json_object') })] as const;
const TYPES = 'must be "text", "json_object" or "json_schema".';

/** `text.format` of `/v1/responses`. */
export const textFormat = variantsBy(
  'type',
  [...unnamed, z.strictObject({ type: type('json_schema'), ...named })],
  () => TYPES,
);

/** `response_format` of chat. */
const chatFormat = variantsBy(
  'type',
  [...unnamed, z.strictObject({ type: type('json_schema'), json_schema: objectOf(named) })],
  () => TYPES,
);

/** The JSON that `response_format` asks for; null for text. A schema that answers can't be held to is refused. */
export const responseFormat = chatFormat.transform((format, context): JsonForm | null => {
  if (format.type === 'text') return null;
  if (format.type === 'json_object') return ANY_OBJECT;
  try {
    return readSchema(format.json_schema.schema);
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    const message = `No answer can be held to this schema: ${error.message}. docs/clients.md says which schemas are kept.`;
    context.issues.push({ code: 'custom', message, input: format });
    return null;
  }
});
