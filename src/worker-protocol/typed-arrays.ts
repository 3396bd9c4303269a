import { z } from 'zod';

/** By its name, because `instanceof` fails for an array of another realm, which structured clone makes under a test runner. */
const typedArray = <T>(name: string) =>
  z.custom<T>((value) => Object.prototype.toString.call(value) === `[object ${name}]`, `expected a ${name}`);

export const float32 = typedArray<Float32Array>('Float32Array');
export const int32 = typedArray<Int32Array>('Int32Array');
