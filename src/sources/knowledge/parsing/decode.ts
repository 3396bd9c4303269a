import { decode } from '../../../kernel/decode.js';

/** Text of a file and how it was read; null when the bytes are no text. */
export interface Decoded {
  text: string;
  note: string | null;
}

const BOMS: readonly { bytes: readonly number[]; encoding: string }[] = [
  { bytes: [0xef, 0xbb, 0xbf], encoding: 'utf-8' },
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
];

/** Bytes that windows-1252 does not assign, and controls that no text holds: proof of a binary file. */
const NOT_1252 = /[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x81\x8d\x8f\x90\x9d]/;
/** Text may hold a few stray controls (they are cleaned); more than this share of them is a binary format. */
const MAX_CONTROL_SHARE = 0.3;

/** So many invalid characters are damage whatever else there is, if no fewer are valid: no other encoding makes those by chance. */
const FEW_INVALID = 8;
/** So many among those beyond ASCII are damage in a long text. */
const MAX_INVALID_SHARE = 0.01;

/**
 * Decodes a text file: by its byte order mark, else UTF-8, else the encoding its HTML names, else UTF-8 with a few damaged
 * characters, else windows-1252 (the usual one of old files). The note says of the last two that characters may be wrong.
 */
export function decodeText(bytes: Buffer): Decoded | null {
  const bom = BOMS.find(({ bytes: mark }) => mark.every((byte, index) => bytes[index] === byte));
  if (bom !== undefined) {
    const text = decode(bytes, bom.encoding);
    return { text, note: bom.encoding === 'utf-8' ? null : `Read as ${bom.encoding.toUpperCase()}.` };
  }
  try {
    const text = decode(bytes, 'utf-8', { fatal: true });

    const controls = text.slice(0, 65_536).match(/[\0-\x08\x0b\x0e-\x1f]/g)?.length ?? 0;
    return controls > MAX_CONTROL_SHARE * Math.min(text.length, 65_536) ? null : { text, note: null };
  } catch {
    return decodeLegacy(bytes);
  }
}

function decodeLegacy(bytes: Buffer): Decoded | null {
  const latin = bytes.toString('latin1');
  const charset = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,20})/i.exec(latin.slice(0, 2_048))?.[1];
  if (charset !== undefined && !/^utf-?(8|16)/i.test(charset)) {
    try {
      return { text: decode(bytes, charset), note: `Read as ${charset.toLowerCase()}, as the page says.` };
    } catch {
      // an encoding that does not exist: go on as if none were named
    }
  }
  const damaged = decodeDamaged(bytes);
  if (damaged !== null) return damaged;
  if (NOT_1252.test(latin)) return null;
  return {
    text: decode(bytes, 'windows-1252'),
    note: 'Read as windows-1252, because it is not valid UTF-8: some characters may be wrong.',
  };
}

/** UTF-8 that was cut in the middle of a character, or joined with something else; null where most isn't UTF-8. */
function decodeDamaged(bytes: Buffer): Decoded | null {
  const text = decode(bytes, 'utf-8');
  const nonAscii = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  const invalid = text.match(/\ufffd/g)?.length ?? 0;
  const damaged = invalid <= MAX_INVALID_SHARE * nonAscii || (invalid <= FEW_INVALID && invalid <= nonAscii - invalid);
  if (!damaged || /[\0-\x08\x0b\x0e-\x1f]/.test(text)) return null;
  const note = `Read as UTF-8; what was damaged, ${invalid} in all, is replaced by “\ufffd”.`;
  return { text, note };
}
