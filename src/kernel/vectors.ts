/** The bytes that a database keeps of 32-bit floats, little-endian. */
export const bytesOfFloats = (floats: Float32Array): Uint8Array<ArrayBuffer> => new Uint8Array(floats.slice().buffer);

export const floatsOfBytes = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);

/** The inner product of two vectors of the same length: of such as have unit length, their cosine. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
