import { z } from 'zod';

/** How GraphQL shows what neither the schema's type nor its checks tell: a number beyond 32 bits, a text that is an id or a time. */
export type ShownScalar = 'BigInt' | 'DateTime' | 'Float' | 'ID' | 'JSON';

declare module 'zod' {
  interface GlobalMeta {
    /** What GraphQL calls an object of this form, and says of it. Kept by what is made of a schema with `describe`. */
    record?: { readonly name: string; readonly description: string } | undefined;
    shown?: ShownScalar | undefined;
    /** GraphQL’s name for a field that is stored under another one. */
    name?: string | undefined;
    /** The GraphQL type of what this row id names: its global id is shown. */
    node?: string | undefined;
    /** The GraphQL type itself, as a class. */
    type?: (abstract new () => object) | undefined;
  }
}

/**
 * The form of an object that is both stored and shown: `recordType` and `recordInput` of the GraphQL kit derive its type. A field is
 * shown once it is described (`.describe('…')`, with unit, range and default); what isn't stays for the program alone. (zod's own `z.record` is a map of names to values, which GraphQL shows as JSON.)
 */
export const record = <Shape extends z.ZodRawShape>(
  name: string,
  description: string,
  shape: Shape,
): z.ZodObject<Shape> => z.object(shape).meta({ record: { name, description } });
