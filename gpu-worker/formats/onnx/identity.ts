/** A protobuf field of wire type 2 (length-delimited) with fewer than 128 bytes. */
const field = (number: number, content: Buffer | string): Buffer => {
  const body = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, body.length]), body]);
};
const integer = (number: number, value: number): Buffer => Buffer.from([number << 3, value]);

/** `ValueInfoProto` of a float32 tensor of shape [1]. */
const value = (name: string): Buffer =>
  Buffer.concat([
    field(1, name),
    field(2, field(1, Buffer.concat([integer(1, 1), field(2, field(1, integer(1, 1)))]))),
  ]);

/** The smallest ONNX model there is: `y = Identity(x)`, both float32 of shape [1]. Running it shows that a provider works. */
export function identityModel(): Uint8Array {
  const node = Buffer.concat([field(1, 'x'), field(2, 'y'), field(4, 'Identity')]);
  const graph = Buffer.concat([field(1, node), field(2, 'g'), field(11, value('x')), field(12, value('y'))]);
  return Buffer.concat([integer(1, 8), field(7, graph), field(8, integer(2, 13))]);
}
