import { MOST_COUNTED, MOST_FORM_NODES, type FormNode, type JsonForm } from '../../../worker-protocol/index.js';
import { formFault } from './check-form.js';

/** A JSON schema that answers can’t be held to: what is wrong, and where in the schema. */
export class SchemaFault extends Error {}

/** Levels of a schema; OpenAI’s own limit is 10. */
const DEEPEST = 16;
const MOST_LITERALS = 500;
/** UTF-16 units of all names of properties and all literals together, as OpenAI counts. */
const MOST_CHARACTERS = 15_000;
const LONGEST_LITERAL = 500;

/** What says nothing of the values that are valid. */
const ANNOTATIONS = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
]);
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'propertyNames'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  integer: [],
  number: [],
  boolean: [],
  null: [],
};
const KNOWN = new Set([...Object.values(KEYWORDS).flat(), 'type', 'enum', 'const', 'anyOf', '$ref']);

type Schema = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON schema as the form that answers are held to. Every valid answer keeps to the schema; of what it leaves open the form takes
 * a part: properties come in their order, and none that the schema doesn’t name. Nothing is built of it here, and what is read is bounded.
 * @throws SchemaFault for keywords that would be ignored, for what is too large, and for what no JSON text could keep to
 */
export function readSchema(schema: unknown): JsonForm {
  const form = new SchemaReader(schema).form;
  const fault = formFault(form);
  if (fault !== null) throw new SchemaFault(fault);
  return form;
}

class SchemaReader {
  readonly form: FormNode[] = [];
  /** Of schemas that were begun: one that names itself finds its own place. */
  readonly #places = new Map<object, number>();
  #characters = 0;

  constructor(private readonly root: unknown) {
    this.#read(root, '#', 0);
  }

  /** @returns the place of the schema's node */
  #read(schema: unknown, path: string, depth: number): number {
    if (schema === true) return this.#add({ kind: 'any' });
    const { fields, at: targetPath } = this.#followed(schema, path);
    const existingPlace = this.#places.get(fields);
    if (existingPlace !== undefined) return existingPlace;
    if (depth > DEEPEST) throw new SchemaFault(`it has more than ${DEEPEST} levels`);
    const place = this.#add({ kind: 'any' });
    this.#places.set(fields, place);
    this.form[place] = this.#node(fields, targetPath, depth + 1);
    return place;
  }

  #add(node: FormNode): number {
    if (this.form.length >= MOST_FORM_NODES) throw new SchemaFault(`it has more than ${MOST_FORM_NODES} parts`);
    return this.form.push(node) - 1;
  }

  /** The schema itself, or the one that it names. */
  #followed(schema: unknown, path: string): { fields: Schema; at: string } {
    for (let [fields, steps] = [checked(schema, path), 0]; ; steps += 1) {
      if (fields.$ref === undefined) return { fields, at: path };
      if (steps > DEEPEST) throw new SchemaFault(`${path} names itself and nothing else`);
      if (Object.keys(fields).some((key) => key !== '$ref' && !ANNOTATIONS.has(key)))
        throw new SchemaFault(`${path}: nothing but annotations may stand beside $ref`);
      const ref = typeof fields.$ref === 'string' ? fields.$ref : '';
      path = ref.slice(0, 100);
      fields = checked(this.#named(ref), path);
    }
  }

  #named(ref: string): unknown {
    if (ref === '#') return this.root;
    const [, list, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref) ?? [];
    const definitions = list === undefined ? undefined : (this.root as Schema)[list];
    const key = (name ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof definitions === 'object' && definitions !== null && Object.hasOwn(definitions, key))
      return (definitions as Schema)[key];
    throw new SchemaFault(`$ref ${JSON.stringify(ref.slice(0, 100))} names nothing under $defs`);
  }

  #node(fields: Schema, path: string, depth: number): FormNode {
    if (fields.anyOf !== undefined) return this.#either(fields, path, depth);
    const types = typesOf(fields, path);
    if (fields.enum !== undefined || fields.const !== undefined) return this.#literals(fields, types, path);
    if (types === null) return { kind: 'any' };
    const [type, ...otherTypes] = types;
    if (otherTypes.length === 0) return this.#ofType(type!, fields, path, depth);
    return { kind: 'either', options: types.map((typeName) => this.#add(this.#ofType(typeName, fields, path, depth))) };
  }

  #either({ anyOf, ...siblings }: Schema, path: string, depth: number): FormNode {
    if (Object.keys(siblings).some((key) => !ANNOTATIONS.has(key)))
      throw new SchemaFault(`${path}: nothing but annotations may stand beside anyOf`);
    if (!Array.isArray(anyOf) || anyOf.length === 0 || anyOf.length > MOST_FORM_NODES)
      throw new SchemaFault(`${path}/anyOf must be a list of 1 to ${MOST_FORM_NODES} schemas`);
    const options = anyOf.map((alternative: unknown, index) =>
      this.#read(alternative, `${path}/anyOf/${index}`, depth),
    );
    return { kind: 'either', options: [...new Set(options)] };
  }

  #literals(fields: Schema, types: readonly string[] | null, path: string): FormNode {
    const values: unknown = fields.const === undefined ? fields.enum : [fields.const];
    if (!Array.isArray(values) || values.length > MOST_LITERALS)
      throw new SchemaFault(`${path}/enum must be a list of at most ${MOST_LITERALS} values`);
    const texts = values
      .filter(
        (value: unknown) => fields.const === undefined || fields.enum === undefined || isAmong(fields.enum, value),
      )
      .filter((value: unknown) => types === null || types.some((type) => isOfType(value, type)))
      .filter(
        (value: unknown) =>
          typeof value !== 'string' || isWithin(value, bounds(fields, 'minLength', 'maxLength', path)),
      )
      .map((value: unknown) => {
        if ((typeof value === 'object' && value !== null) || value === Infinity || value === -Infinity)
          throw new SchemaFault(`${path}: values of enum and const must be texts, finite numbers, booleans or null`);
        return this.#counted(JSON.stringify(value), path);
      });
    if (texts.length === 0) throw new SchemaFault(`${path}: no value of enum or const is of its type and length`);
    return { kind: 'literal', texts: [...new Set(texts)] };
  }

  #ofType(type: string, fields: Schema, path: string, depth: number): FormNode {
    switch (type) {
      case 'object':
        return this.#object(fields, path, depth);
      case 'array': {
        const [minimum, maximum] = bounds(fields, 'minItems', 'maxItems', path);
        return {
          kind: 'list',
          items: this.#read(fields.items ?? true, `${path}/items`, depth),
          least: minimum,
          most: maximum,
        };
      }
      case 'string': {
        const [minimum, maximum] = bounds(fields, 'minLength', 'maxLength', path);
        return { kind: 'string', least: minimum, most: maximum };
      }
      case 'integer':
      case 'number':
      case 'boolean':
      case 'null':
        return { kind: type };
      default:
        throw new SchemaFault(`${path}: there is no type ${JSON.stringify(type).slice(0, 50)}`);
    }
  }

  #object(
    { properties = {}, required = [], additionalProperties: additionalSchema = true, propertyNames }: Schema,
    path: string,
    depth: number,
  ): FormNode {
    if (propertyNames !== undefined && !saysText(propertyNames))
      throw new SchemaFault(`${path}: propertyNames is not supported`);
    const entries = Object.entries(fieldsOf(properties, `${path}/properties`));
    if (entries.length > MOST_FORM_NODES) throw new SchemaFault(`${path} has more than ${MOST_FORM_NODES} properties`);
    if (
      !Array.isArray(required) ||
      required.length > MOST_FORM_NODES ||
      !required.every((name) => typeof name === 'string')
    )
      throw new SchemaFault(`${path}/required must be a list of names`);
    const requiredNames = new Set<string>(required);
    const unnamed = [...requiredNames].filter((name) => !entries.some(([propertyName]) => propertyName === name));
    if (unnamed.length > 0 && additionalSchema === false)
      throw new SchemaFault(`${path}: required names ${JSON.stringify(unnamed[0])}, which properties doesn’t have`);
    if (entries.length === 0 && unnamed.length === 0)
      return additionalSchema === false
        ? { kind: 'object', properties: [] }
        : { kind: 'map', values: this.#read(additionalSchema, `${path}/additionalProperties`, depth) };
    const members: [string, unknown, string][] = [
      ...entries.map(([name, value]): [string, unknown, string] => [
        name,
        value,
        `${path}/properties/${name.slice(0, 60)}`,
      ]),
      ...unnamed.map((name): [string, unknown, string] => [name, additionalSchema, `${path}/additionalProperties`]),
    ];
    return {
      kind: 'object',
      properties: members.map(([name, value, memberPath]) => ({
        name: this.#counted(name, path),
        value: this.#read(value, memberPath, depth),
        required: requiredNames.has(name),
      })),
    };
  }

  #counted(text: string, path: string): string {
    this.#characters += text.length;
    if (text.length > LONGEST_LITERAL)
      throw new SchemaFault(`${path} has a text of more than ${LONGEST_LITERAL} characters`);
    if (this.#characters > MOST_CHARACTERS)
      throw new SchemaFault(`its names and values have more than ${MOST_CHARACTERS} characters together`);
    return text;
  }
}

function fieldsOf(value: unknown, path: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema;
  throw new SchemaFault(`${path} must be an object`);
}

/** @throws SchemaFault for a keyword that nothing here keeps */
function checked(schema: unknown, path: string): Schema {
  const fields = fieldsOf(schema, path);
  const unknown = Object.keys(fields).find((key) => !KNOWN.has(key) && !ANNOTATIONS.has(key));
  if (unknown !== undefined) throw new SchemaFault(`${path}: ${unknown.slice(0, 60)} is not supported`);
  return fields;
}

/** null: any. What stands beside it says of what kind a value is whose type isn't said. */
function typesOf(fields: Schema, path: string): string[] | null {
  const { type } = fields;
  if (type === undefined) {
    const implied = Object.keys(KEYWORDS).find((typeName) =>
      KEYWORDS[typeName]!.some((key) => fields[key] !== undefined),
    );
    return implied === undefined ? null : [implied];
  }
  const types: unknown[] = Array.isArray(type) ? type : [type];
  if (types.length === 0 || types.length > 7 || !types.every((typeName) => typeof typeName === 'string'))
    throw new SchemaFault(`${path}/type must be the name of a type, or a list of such`);
  // A number is an integer, too: one that may be either is a number.
  return [...new Set(types)].filter((typeName) => typeName !== 'integer' || !types.includes('number'));
}

function bounds(fields: Schema, min: string, max: string, path: string): [number, number | null] {
  const [minimum, maximum] = [fields[min] ?? 0, fields[max] ?? null];
  const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
  if (!isCount(minimum) || (maximum !== null && (!isCount(maximum) || maximum < minimum)))
    throw new SchemaFault(`${path}: ${min} and ${max} must be counts, the first no larger`);
  if (minimum > MOST_COUNTED || (maximum ?? 0) > MOST_COUNTED)
    throw new SchemaFault(`${path}: ${min} and ${max} may be ${MOST_COUNTED} at most`);
  return [minimum, maximum];
}

const saysText = (names: unknown): boolean => {
  const schema = fieldsOf(names, 'propertyNames');
  return schema.type === 'string' && Object.keys(schema).length === 1;
};

/** Lengths are in code points. */
const isWithin = (text: string, [minimum, maximum]: readonly [number, number | null]): boolean => {
  const { length } = [...text];
  return length >= minimum && length <= (maximum ?? Infinity);
};

const isAmong = (values: unknown, value: unknown): boolean => Array.isArray(values) && values.includes(value);

function isOfType(value: unknown, type: string): boolean {
  if (value === null) return type === 'null';
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
