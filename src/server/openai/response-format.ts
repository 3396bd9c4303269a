import { readSchema, SchemaFault } from '../../answer/ask/index.js';
import { ANY_OBJECT, type JsonForm } from '../../worker-protocol/index.js';
import { RefusedField } from './errors.js';
import { fieldsOf, optionalFlag, refuseOthers, type Fields } from './fields.js';

const FIELD = 'response_format';
/** OpenAI's rule for the name of a schema. */
const NAME = /^[\w-]{1,64}$/;

/**
 * The JSON that `response_format` asks for; null for text. An answer keeps to its schema with `strict` and without.
 * @throws RefusedField for another type, and for a schema that answers can't be held to
 */
export function formOf({ response_format: format }: Fields): JsonForm | null {
  if (format === null || format === undefined) return null;
  const { type, json_schema: named, ...others } = fieldsOf(format, FIELD);
  refuseOthers(others, [], {});
  const isNamed = type === 'json_schema';
  if (!isNamed && named !== undefined && named !== null)
    throw refused('json_schema goes with the type "json_schema" only.');
  if (type === 'text') return null;
  if (type === 'json_object') return ANY_OBJECT;
  if (isNamed) return schemaOf(fieldsOf(named, `${FIELD}.json_schema`));
  throw refused('Its type must be "text", "json_object" or "json_schema".');
}

function schemaOf(fields: Fields): JsonForm {
  refuseOthers(fields, ['name', 'schema', 'strict'], { description: 'any' });
  if (typeof fields.name !== 'string' || !NAME.test(fields.name))
    throw refused('json_schema.name must have 1 to 64 letters, digits, underscores or dashes.');
  optionalFlag(fields, 'strict');
  try {
    return readSchema(fieldsOf(fields.schema, `${FIELD}.json_schema.schema`));
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    throw refused(`No answer can be held to this schema: ${error.message}.`);
  }
}

const refused = (message: string): RefusedField =>
  new RefusedField(FIELD, 'invalid_value', message, 'docs/clients.md says which schemas are kept.');
