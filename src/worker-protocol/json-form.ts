import { z } from 'zod';
import { callForm } from './chat-form.js';

/** Nodes of a form; a schema that comes to more is refused before anything is built of it. */
export const MOST_FORM_NODES = 512;
/** Items of a list, or characters of a text, that a form may count: llama.cpp writes a rule for each. */
export const MOST_COUNTED = 1_000;

/** A node of the form, by its place in the list. */
const place = z
  .number()
  .int()
  .min(0)
  .max(MOST_FORM_NODES - 1);
const counted = z.number().int().min(0).max(MOST_COUNTED);
const name = z.string().max(1_000);

const node = z.discriminatedUnion('kind', [
  /** Any JSON value. */
  z.object({ kind: z.literal('any') }),
  z.object({ kind: z.literal('null') }),
  z.object({ kind: z.literal('boolean') }),
  z.object({ kind: z.literal('integer') }),
  z.object({ kind: z.literal('number') }),
  /** Its length in code points, as JSON Schema counts. */
  z.object({ kind: z.literal('string'), least: counted, most: counted.nullable() }),
  /** One of these JSON texts. */
  z.object({ kind: z.literal('literal'), texts: z.array(name).min(1).max(1_000) }),
  z.object({ kind: z.literal('list'), items: place, least: counted, most: counted.nullable() }),
  /** These properties and no others, in this order. */
  z.object({
    kind: z.literal('object'),
    properties: z.array(z.object({ name, value: place, required: z.boolean() })).max(MOST_FORM_NODES),
  }),
  /** Any number of properties of any name. */
  z.object({ kind: z.literal('map'), values: place }),
  z.object({ kind: z.literal('either'), options: z.array(place).min(1).max(MOST_FORM_NODES) }),
]);

/**
 * What JSON an answer is held to, as data that a grammar is written from: nodes that name each other by their place, the first of them the
 * whole. A JSON schema is read into one by `src/answer/ask/form`, with its bounds.
 */
export const jsonForm = z.array(node).min(1).max(MOST_FORM_NODES);
export type JsonForm = z.infer<typeof jsonForm>;
export type FormNode = JsonForm[number];

/** Functions that an answer may call at most. */
export const MOST_FUNCTIONS = 128;

/** Lets an answer call functions, written as the model's template has it. */
export const callBond = callForm.extend({
  functions: z
    .array(z.strictObject({ name: z.string().min(1).max(64), arguments: jsonForm }))
    .min(1)
    .max(MOST_FUNCTIONS),
  /** Whether it has to; else it may be text, or text and then calls. */
  isRequired: z.boolean(),
});
export type CallBond = z.infer<typeof callBond>;

/** Any JSON object. */
export const ANY_OBJECT: JsonForm = [{ kind: 'map', values: 1 }, { kind: 'any' }];
