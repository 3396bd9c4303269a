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

/** The nearest whole number; of two equally near the even one. */
export function roundedToEven(value: number): number {
  const integer = Math.floor(value);
  const rest = value - integer;
  return rest > 0.5 || (rest === 0.5 && integer % 2 !== 0) ? integer + 1 : integer;
}

/** The nearest half of a number, as 16 bits; of two equally near the even one. What is too large becomes infinite. */
function numberToHalf(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (magnitude >= 65_520) return sign | 0x7c00;
  // Below the smallest normal half, steps are of one size.
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const step = 2 ** (exponent - 10);
  const rounded = roundedToEven(magnitude / step);
  // A normal half's leading 1 is not written; a carry out of the fraction raises the exponent by itself.
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded);
}

/** Numbers in the form of a file, little-endian. */
export function encodeNumbers(data: Float32Array, type: 'F32' | 'F16'): Buffer {
  if (type === 'F32') return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const halves = Buffer.alloc(2 * data.length);
  data.forEach((value, index) => halves.writeUInt16LE(numberToHalf(value), 2 * index));
  return halves;
}

/** @param bits the upper 16 bits of a 32-bit number: bfloat16 */
export function bfloatToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}
