/**
 * An instance of an object type's class, for where GraphQL has to tell the type by it. Every field is required, so a field
 * that a type gains is missing at compile time wherever one is made. Further properties of a variable are carried along.
 */
export const make = <T extends object>(type: new () => T, fields: NoInfer<T>): T => Object.assign(new type(), fields);
