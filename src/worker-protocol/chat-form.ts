import { z } from 'zod';

/** Real templates have up to 30 KiB; one larger than this is no template. UTF-16 units. */
export const MOST_TEMPLATE_CHARACTERS = 256 * 1024;
/** All that is kept of one template, in characters of its JSON. */
export const MOST_FORM_CHARACTERS = 256 * 1024;

/** Part of what a template writes: a text, or today's date in this form of Python's `strftime`. */
const part = z.union([z.string(), z.object({ date: z.string().max(64) })]);

/** What a template writes in one place, in order. */
const piece = z.array(part).max(64);
export type TemplatePiece = z.infer<typeof piece>;

const pieces = z.record(z.string(), piece);

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
