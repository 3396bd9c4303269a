/** What requests are checked by, and described by in `/v1/openapi.json`: zod schemas, and their faults in OpenAI's form. */
import { z } from 'zod';
import { storable } from '../../kernel/text.js';
import { RefusedField } from './errors.js';

export type Fields = Record<string, unknown>;

const withoutNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
    : value;

/** An object whose fields are honoured or refused by their names. null counts as left out. */
export const objectOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess(withoutNulls, z.strictObject(shape));

/** What is made of such an object. A transform behind `objectOf` would be described as a field that may be left out. */
export const madeOf = <Shape extends z.ZodRawShape, Made>(
  shape: Shape,
  make: (fields: z.output<z.ZodObject<Shape, z.core.$strict>>, context: z.RefinementCtx) => Made,
) =>
  z.preprocess(
    withoutNulls,
    z.strictObject(shape).transform((fields, context) => make(fields, context)),
  );

type Variants = Parameters<typeof z.discriminatedUnion>[1];

/** The same, of a body that may be left out. */
export const optionalObjectOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess((value) => withoutNulls(value ?? {}), z.strictObject(shape));

/**
 * One of several such objects, told apart by a field.
 * @param refusal of a value of that field that none of them has
 */
export const variantsBy = <V extends Variants>(field: string, variants: V, refusal: (value: unknown) => string) => {
  const error: z.core.$ZodErrorMap = ({ code, input }) =>
    code === 'invalid_union' ? refusal((input as Fields)[field]) : '';
  return z.preprocess(withoutNulls, z.discriminatedUnion(field, variants, { error }));
};

/** What isn't honoured may say nothing but these values, which change nothing. */
export function only(values: readonly unknown[], reason = 'it would change the answer, and nothing here honours it') {
  const texts = values.map((value) => JSON.stringify(value));
  const instead = texts.length === 0 ? 'Leave it out.' : `Leave it out, or send ${texts.join(' or ')}.`;
  return z
    .unknown()
    .refine((value) => texts.includes(JSON.stringify(value)), {
      error: `is not supported: ${reason}. ${instead}`,
      params: { code: 'unsupported_parameter' },
    })
    .meta({ enum: texts.length === 0 ? [null] : [...values] })
    .optional();
}

/** A field that may say anything, because nothing follows from it. */
export const anything = z.unknown().meta({ description: 'Changes nothing.' }).optional();

/** Names of what a request has of such fields. */
export const ignoredOf = (fields: Fields, shape: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(fields).filter((name) => Object.hasOwn(shape, name));

export const flag = z.boolean().default(false);

export const storableText = z.string().refine((text) => storable(text) === text, 'must be Unicode without NUL.');

const NOT_EMPTY = 'must be a string that is not empty.';
export const filledText = z.string(NOT_EMPTY).min(1, NOT_EMPTY);

export function wholeNumber(from: number, to: number) {
  const error = `must be a whole number from ${from} to ${to}.`;
  return z.int(error).min(from, error).max(to, error);
}

/** How many results of a search are wanted. */
export const resultLimit = wholeNumber(1, 50).default(10);

const MOST_NOTES = 16;
const LONGEST_NOTE = 512;
export const note = storableText.max(LONGEST_NOTE);

/** What clients note with an object, such as `metadata`: names of at most 64 characters, each with a value of this form. */
export function notesOf<T extends z.ZodType>(value: T) {
  const error = `must hold at most ${MOST_NOTES} values, with names of 64 and texts of ${LONGEST_NOTE} characters at most.`;
  return z
    .record(storableText.max(64), value, error)
    .refine((notes) => Object.keys(notes).length <= MOST_NOTES, error)
    .meta({ maxProperties: MOST_NOTES });
}

/** Ids, each once. */
export function idsOf(limit: number) {
  const error = `must be a list of 1 to ${limit} ids.`;
  const ids = z.array(z.string(), error).min(1, error).max(limit, error);
  return ids.transform((values) => [...new Set(values)]);
}

/** A name that adapters and collections may have, of any text; empty where nothing of it may stand in one. */
export const nameFrom = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+|-+$/g, '');

/** @throws RefusedField that names the first field which can't be honoured */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  // Messages are ours: without one, `predicateOf` says what a field must be.
  const { data, error } = schema.safeParse(value, { error: () => '' });
  if (error) throw refusalOf(error.issues[0]!, []);
  return data;
}

type Issue = z.core.$ZodIssue;

/** `messages[0].content` */
const nameOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '') || 'body';

/** Whether a value is of this branch of a union, and the fault lies within. */
const isWithin = ({ path, code }: Issue): boolean =>
  path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value');

function refusalOf(issue: Issue, parentPath: readonly PropertyKey[]): RefusedField {
  const path = [...parentPath, ...issue.path];
  const branches = issue.code === 'invalid_union' ? issue.errors.map(([fault]) => fault as Issue) : [];
  const branch = branches.find(isWithin);
  if (branch) return refusalOf(branch, path);
  if (issue.code === 'unrecognized_keys') {
    const name = nameOf([...path, issue.keys[0]!]);
    return new RefusedField(name, 'unknown_parameter', `There is no parameter "${name}" here.`, 'Leave it out.');
  }
  const name = nameOf(issue.code === 'invalid_key' ? path.slice(0, -1) : path);
  const message = issue.message || predicateOf(issue);
  return new RefusedField(name, codeOf(issue), /^[a-z]/.test(message) ? `${name} ${message}` : message);
}

function codeOf(issue: Issue): RefusedField['openAiCode'] {
  if (issue.code === 'custom') return (issue.params?.['code'] as RefusedField['openAiCode']) ?? 'invalid_value';
  const isOfNoVariant = issue.code === 'invalid_union' && issue.errors.length === 0;
  return issue.code === 'invalid_value' || isOfNoVariant ? 'unsupported_value' : 'invalid_value';
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'must be a string.',
  number: 'must be a number.',
  int: 'must be a whole number.',
  boolean: 'must be true or false.',
  object: 'must be a JSON object.',
  record: 'must be a JSON object.',
  array: 'must be a list.',
};

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

/** What a field must be, where its schema has no words of its own. */
function predicateOf(issue: Issue): string {
  const units = 'origin' in issue ? UNITS[issue.origin] : undefined;
  const verb = units === undefined ? 'be' : 'have';
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? 'is not valid.';
    case 'too_big':
      return `must ${verb} at most ${issue.maximum}${units ?? ''}.`;
    case 'too_small':
      return `must ${verb} at least ${issue.minimum}${units ?? ''}.`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}.`;
    default:
      return 'is not valid.';
  }
}
