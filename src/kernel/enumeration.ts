/**
 * A closed list of names, declared once and used as values (`Strategy.RAG`), as a type (`type Strategy = keyof typeof Strategy`)
 * and by `choice`, which GraphQL shows. Unlike a TypeScript enum its values are plain literals, so stored JSON and rows need no cast.
 */
export const enumeration = <const Name extends string>(...names: Name[]): { readonly [N in Name]: N } =>
  Object.fromEntries(names.map((name) => [name, name])) as { readonly [N in Name]: N };
