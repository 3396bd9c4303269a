/** IEEE 754 half precision: all 65,536 values. */
const HALVES = Float32Array.from({ length: 65_536 }, (_, half) => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** @param bits 16 bits of IEEE 754 half precision */
export const halfToNumber = (bits: number): number => HALVES[bits] as number;

const word = new DataView(new ArrayBuffer(4));
/** @param bits the upper 16 bits of a 32-bit number: bfloat16 */
export function bfloatToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}
