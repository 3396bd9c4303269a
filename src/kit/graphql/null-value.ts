import { Extensions } from 'type-graphql';

const EXTENSION = 'nullIsAValue';

/** Marks a field of an input with a default whose null means something else than that default; of all others it means the default. */
export const NullIsAValue = (): PropertyDecorator & MethodDecorator => Extensions({ [EXTENSION]: true });

/** Whether it is marked so. */
export const nullIsAValue = ({ extensions }: { extensions?: Readonly<Record<string, unknown>> }): boolean =>
  extensions?.[EXTENSION] === true;
