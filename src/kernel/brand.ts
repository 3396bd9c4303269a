declare const brand: unique symbol;

/** A primitive that has passed a check: `Brand<string, 'Sha256'>` can't be made from a plain string by accident. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
