/** What an object itself has under a name that a stranger gave: `constructor` is a function of every object, and nobody's label. */
export const own = <T>(values: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;
