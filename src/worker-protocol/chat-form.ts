import { z } from 'zod';

/** Real templates have up to 30 KiB; one larger than this is no template. UTF-16 units. */
export const MOST_TEMPLATE_CHARACTERS = 256 * 1024;
/** All that is kept of one template, in characters of its JSON. */
export const MOST_FORM_CHARACTERS = 256 * 1024;

/** Part of what a template writes: a text, today's date in this form of Python's `strftime`, or the functions that may be called. */
const part = z.union([z.string(), z.object({ date: z.string().max(64) }), z.strictObject({ tools: z.literal(true) })]);

/** What a template writes in one place, in order. */
const piece = z.array(part).max(64);
export type TemplatePiece = z.infer<typeof piece>;

const pieces = z.record(z.string(), piece);
const mark = z.string().max(200);

/** How calls of functions are written, one after another. */
export const callForm = z.strictObject({
  /** Up to the function's name. */
  open: mark.min(1),
  /** Between name and arguments, which are a JSON object. */
  middle: mark.min(1),
  close: mark.min(1),
  /** Between two calls; null where there may be but one. */
  between: mark.nullable(),
});
export type CallForm = z.infer<typeof callForm>;

/** A function that may be called, as templates and OpenAI's clients know it. */
export interface ChatFunction {
  type: 'function';
  /** `parameters` is a JSON schema. */
  function: { name: string; description?: string; parameters: Readonly<Record<string, unknown>> };
}

/** How a model is shown functions, calls them and reads what they gave. Beside `s`, `u` and `a` there are `c`, calls of the assistant, and `t`, what one gave. */
export const toolForm = z.object({
  /** As those of a conversation, where functions are shown: they stand in one of the pieces. */
  begin: pieces,
  between: pieces,
  end: pieces,
  /** How the functions are written: as JSON, whole or what stands below `function`, by blanks of indentation. */
  list: z.object({ isWhole: z.boolean(), indent: z.number().int().min(1).max(8).nullable(), between: mark }),
  call: callForm,
  /** Between what the assistant said and its calls; null where the template drops what it said. */
  behindText: mark.nullable(),
});
export type ToolForm = z.infer<typeof toolForm>;

/**
 * How a model reads a conversation, as data: nothing of it is a program. Roles are written with their first letters, `s`, `u` and `a`;
 * a conversation is a word of them (`suau`).
 */
export const chatForm = z.discriminatedUnion('kind', [
  /** The file has no template: labelled lines. */
  z.object({ kind: z.literal('plain'), bosToken: z.string() }),
  z.object({
    kind: z.literal('wrapped'),
    /** Before the first message, by its role. A role that lacks can't come first. */
    begin: pieces,
    /** Between two messages, by their roles (`su`). */
    between: pieces,
    /** Behind the last message, up to where the assistant's words begin, by its role. */
    end: pieces,
    /** Every order of at most so many messages was rendered and compared, and every conversation of at most so many. */
    compared: z.object({ anyOrder: z.number().int(), conversations: z.number().int() }),
    /** Those that differ from what the three above give: one piece more than messages, null where the template refuses them. */
    exceptions: z.record(z.string(), z.array(piece).nullable()),
    /** Missing where the template knows no functions, or writes them in a way that isn't read here. */
    tools: toolForm.optional(),
  }),
  /** The template can't be used. */
  z.object({ kind: z.literal('unusable'), reason: z.string().max(500) }),
]);
export type ChatForm = z.infer<typeof chatForm>;
export type WrappedForm = Extract<ChatForm, { kind: 'wrapped' }>;

/** A system message or none, then user and assistant in turns, ending with the user; the assistant may have greeted first. */
export const isConversation = (word: string): boolean => /^s?a?(ua)*u$/.test(word);

/** The pieces of a conversation from those of its neighbours; null where the template never wrote one of them. */
export function composed(
  { begin, between, end }: Pick<WrappedForm, 'begin' | 'between' | 'end'>,
  word: string,
): TemplatePiece[] | null {
  const pieces = [
    begin[word[0]!],
    ...Array.from({ length: word.length - 1 }, (_, i) => between[word.slice(i, i + 2)]),
    end[word.at(-1)!],
  ];
  return pieces.every((piece) => piece !== undefined) ? pieces : null;
}

/** Functions as a template writes them. */
export const writtenFunctions = (
  { isWhole, indent, between }: ToolForm['list'],
  functions: readonly ChatFunction[],
): string => functions.map((each) => templateJson(isWhole ? each : each.function, indent)).join(between);

/** A call as a template writes it. @param name and arguments: a JSON text */
export const writtenCall = ({ open, middle, close }: CallForm, name: string, args: string): string =>
  `${open}${name}${middle}${args}${close}`;

/** JSON as templates write it: Python's `json.dumps` with `ensure_ascii=False`, which unlike JavaScript has blanks behind commas and colons. */
export function templateJson(value: unknown, indent: number | null = null): string {
  if (indent !== null || typeof value !== 'object' || value === null) return JSON.stringify(value, null, indent ?? 0);
  if (Array.isArray(value)) return `[${value.map((item) => templateJson(item)).join(', ')}]`;
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${templateJson(field)}`);
  return `{${fields.join(', ')}}`;
}
