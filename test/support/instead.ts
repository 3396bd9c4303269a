/** An object that does some things otherwise, and all else as it does. */
export const instead = <T extends object>(real: T, otherwise: Partial<T>): T =>
  new Proxy(real, {
    get(target, name) {
      if (name in otherwise) return otherwise[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
