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
  #read(schema: unknown, at: string, depth: number): number {
    if (schema === true) return this.#add({ kind: 'any' });
    const { fields, at: there } = this.#followed(schema, at);
    const known = this.#places.get(fields);
    if (known !== undefined) return known;
    if (depth > DEEPEST) throw new SchemaFault(`it has more than ${DEEPEST} levels`);
    const place = this.#add({ kind: 'any' });
    this.#places.set(fields, place);
    this.form[place] = this.#node(fields, there, depth + 1);
    return place;
  }

  #add(node: FormNode): number {
    if (this.form.length >= MOST_FORM_NODES) throw new SchemaFault(`it has more than ${MOST_FORM_NODES} parts`);
    return this.form.push(node) - 1;
  }

  /** The schema itself, or the one that it names. */
  #followed(schema: unknown, at: string): { fields: Schema; at: string } {
    for (let [fields, steps] = [checked(schema, at), 0]; ; steps += 1) {
      if (fields.$ref === undefined) return { fields, at };
      if (steps > DEEPEST) throw new SchemaFault(`${at} names itself and nothing else`);
      if (Object.keys(fields).some((key) => key !== '$ref' && !ANNOTATIONS.has(key)))
        throw new SchemaFault(`${at}: nothing but annotations may stand beside $ref`);
      const ref = typeof fields.$ref === 'string' ? fields.$ref : '';
      at = ref.slice(0, 100);
      fields = checked(this.#named(ref), at);
    }
  }

  #named(ref: string): unknown {
    if (ref === '#') return this.root;
    const [, list, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref) ?? [];
    const all = list === undefined ? undefined : (this.root as Schema)[list];
    const key = (name ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof all === 'object' && all !== null && Object.hasOwn(all, key)) return (all as Schema)[key];
    throw new SchemaFault(`$ref ${JSON.stringify(ref.slice(0, 100))} names nothing under $defs`);
  }

  #node(fields: Schema, at: string, depth: number): FormNode {
    if (fields.anyOf !== undefined) return this.#either(fields, at, depth);
    const types = typesOf(fields, at);
    if (fields.enum !== undefined || fields.const !== undefined) return this.#literals(fields, types, at);
    if (types === null) return { kind: 'any' };
    const [type, ...others] = types;
    if (others.length === 0) return this.#ofType(type!, fields, at, depth);
    return { kind: 'either', options: types.map((each) => this.#add(this.#ofType(each, fields, at, depth))) };
  }

  #either({ anyOf, ...others }: Schema, at: string, depth: number): FormNode {
    if (Object.keys(others).some((key) => !ANNOTATIONS.has(key)))
      throw new SchemaFault(`${at}: nothing but annotations may stand beside anyOf`);
    if (!Array.isArray(anyOf) || anyOf.length === 0 || anyOf.length > MOST_FORM_NODES)
      throw new SchemaFault(`${at}/anyOf must be a list of 1 to ${MOST_FORM_NODES} schemas`);
    const options = anyOf.map((each: unknown, index) => this.#read(each, `${at}/anyOf/${index}`, depth));
    return { kind: 'either', options: [...new Set(options)] };
  }

  #literals(fields: Schema, types: readonly string[] | null, at: string): FormNode {
    const values: unknown = fields.const === undefined ? fields.enum : [fields.const];
    if (!Array.isArray(values) || values.length > MOST_LITERALS)
      throw new SchemaFault(`${at}/enum must be a list of at most ${MOST_LITERALS} values`);
    const texts = values
      .filter(
        (value: unknown) => fields.const === undefined || fields.enum === undefined || isAmong(fields.enum, value),
      )
      .filter((value: unknown) => types === null || types.some((type) => isOfType(value, type)))
      .filter(
        (value: unknown) => typeof value !== 'string' || isWithin(value, bounds(fields, 'minLength', 'maxLength', at)),
      )
      .map((value: unknown) => {
        if ((typeof value === 'object' && value !== null) || value === Infinity || value === -Infinity)
          throw new SchemaFault(`${at}: values of enum and const must be texts, finite numbers, booleans or null`);
        return this.#counted(JSON.stringify(value), at);
      });
    if (texts.length === 0) throw new SchemaFault(`${at}: no value of enum or const is of its type and length`);
    return { kind: 'literal', texts: [...new Set(texts)] };
  }

  #ofType(type: string, fields: Schema, at: string, depth: number): FormNode {
    switch (type) {
      case 'object':
        return this.#object(fields, at, depth);
      case 'array': {
        const [least, most] = bounds(fields, 'minItems', 'maxItems', at);
        return { kind: 'list', items: this.#read(fields.items ?? true, `${at}/items`, depth), least, most };
      }
      case 'string': {
        const [least, most] = bounds(fields, 'minLength', 'maxLength', at);
        return { kind: 'string', least, most };
      }
      case 'integer':
      case 'number':
      case 'boolean':
      case 'null':
        return { kind: type };
      default:
        throw new SchemaFault(`${at}: there is no type ${JSON.stringify(type).slice(0, 50)}`);
    }
  }

  #object(
    { properties = {}, required = [], additionalProperties: others = true, propertyNames }: Schema,
    at: string,
    depth: number,
  ): FormNode {
    if (propertyNames !== undefined && !saysText(propertyNames))
      throw new SchemaFault(`${at}: propertyNames is not supported`);
    const named = Object.entries(fieldsOf(properties, `${at}/properties`));
    if (named.length > MOST_FORM_NODES) throw new SchemaFault(`${at} has more than ${MOST_FORM_NODES} properties`);
    if (
      !Array.isArray(required) ||
      required.length > MOST_FORM_NODES ||
      !required.every((name) => typeof name === 'string')
    )
      throw new SchemaFault(`${at}/required must be a list of names`);
    const needed = new Set<string>(required);
    const unnamed = [...needed].filter((name) => !named.some(([other]) => other === name));
    if (unnamed.length > 0 && others === false)
      throw new SchemaFault(`${at}: required names ${JSON.stringify(unnamed[0])}, which properties doesn’t have`);
    if (named.length === 0 && unnamed.length === 0)
      return others === false
        ? { kind: 'object', properties: [] }
        : { kind: 'map', values: this.#read(others, `${at}/additionalProperties`, depth) };
    const all: [string, unknown, string][] = [
      ...named.map(([name, value]): [string, unknown, string] => [
        name,
        value,
        `${at}/properties/${name.slice(0, 60)}`,
      ]),
      ...unnamed.map((name): [string, unknown, string] => [name, others, `${at}/additionalProperties`]),
    ];
    return {
      kind: 'object',
      properties: all.map(([name, value, there]) => ({
        name: this.#counted(name, at),
        value: this.#read(value, there, depth),
        required: needed.has(name),
      })),
    };
  }

  #counted(text: string, at: string): string {
    this.#characters += text.length;
    if (text.length > LONGEST_LITERAL)
      throw new SchemaFault(`${at} has a text of more than ${LONGEST_LITERAL} characters`);
    if (this.#characters > MOST_CHARACTERS)
      throw new SchemaFault(`its names and values have more than ${MOST_CHARACTERS} characters together`);
    return text;
  }
}

function fieldsOf(value: unknown, at: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema;
  throw new SchemaFault(`${at} must be an object`);
}

/** @throws SchemaFault for a keyword that nothing here keeps */
function checked(schema: unknown, at: string): Schema {
  const fields = fieldsOf(schema, at);
  const unknown = Object.keys(fields).find((key) => !KNOWN.has(key) && !ANNOTATIONS.has(key));
  if (unknown !== undefined) throw new SchemaFault(`${at}: ${unknown.slice(0, 60)} is not supported`);
  return fields;
}

/** null: any. What stands beside it says of what kind a value is whose type isn't said. */
function typesOf(fields: Schema, at: string): string[] | null {
  const { type } = fields;
  if (type === undefined) {
    const implied = Object.keys(KEYWORDS).find((each) => KEYWORDS[each]!.some((key) => fields[key] !== undefined));
    return implied === undefined ? null : [implied];
  }
  const types: unknown[] = Array.isArray(type) ? type : [type];
  if (types.length === 0 || types.length > 7 || !types.every((each) => typeof each === 'string'))
    throw new SchemaFault(`${at}/type must be the name of a type, or a list of such`);
  // A number is an integer, too: one that may be either is a number.
  return [...new Set(types)].filter((each) => each !== 'integer' || !types.includes('number'));
}

function bounds(fields: Schema, min: string, max: string, at: string): [number, number | null] {
  const [least, most] = [fields[min] ?? 0, fields[max] ?? null];
  const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
  if (!isCount(least) || (most !== null && (!isCount(most) || most < least)))
    throw new SchemaFault(`${at}: ${min} and ${max} must be counts, the first no larger`);
  if (least > MOST_COUNTED || (most ?? 0) > MOST_COUNTED)
    throw new SchemaFault(`${at}: ${min} and ${max} may be ${MOST_COUNTED} at most`);
  return [least, most];
}

const saysText = (names: unknown): boolean => {
  const said = fieldsOf(names, 'propertyNames');
  return said.type === 'string' && Object.keys(said).length === 1;
};

/** Lengths are in code points. */
const isWithin = (text: string, [least, most]: readonly [number, number | null]): boolean => {
  const { length } = [...text];
  return length >= least && length <= (most ?? Infinity);
};

const isAmong = (values: unknown, value: unknown): boolean => Array.isArray(values) && values.includes(value);

function isOfType(value: unknown, type: string): boolean {
  if (value === null) return type === 'null';
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
