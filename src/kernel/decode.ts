/**
 * The text of all bytes, without byte order mark. In two steps, since Node decodes windows-1252 in one call as Latin-1: there
 * 0x80 to 0x9f (€, –, ’) become control characters. As a stream it takes ICU's way, which is right (nodejs/node#56542).
 * @throws RangeError for an encoding that does not exist; TypeError, when `fatal`, for bytes that are not in it
 */
export function decode(bytes: Uint8Array, encoding: string, { fatal = false } = {}): string {
  const decoder = new TextDecoder(encoding, { fatal });
  return decoder.decode(bytes, { stream: true }) + decoder.decode();
}
