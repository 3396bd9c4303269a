import { GraftError } from '../../../kernel/errors.js';
import { telling } from '../media-type.js';
import { type Decoded, decodeText } from './decode.js';
import type { BinaryFormat, DocumentClaim, DocumentFormat, TextFormat } from './document.js';
import { FORMATS, takenFormats } from './formats.js';

type FormatDetection = { format: BinaryFormat; claimed: boolean } | { format: TextFormat; decoded: Decoded };

/** Leading bytes (latin-1) of files that people upload by mistake, to be named in the refusal. */
const OTHERS: readonly [start: string, label: string, hint?: string][] = [
  ['\x89PNG', 'a PNG picture'],
  ['\xff\xd8\xff', 'a JPEG picture'],
  ['GIF8', 'a GIF picture'],
  ['RIFF', 'a RIFF media file'],
  ['\xd0\xcf\x11\xe0', 'an old or encrypted Office file', 'Save it as DOCX without a password.'],
  ['{\\rtf', 'RTF', 'Save it as DOCX.'],
  ['%!PS', 'PostScript', 'Convert it to PDF.'],
  ['\x1f\x8b', 'a gzip archive', 'Unpack it first.'],
  ['7z\xbc\xaf', 'a 7z archive', 'Unpack it first.'],
  ['Rar!', 'a RAR archive', 'Unpack it first.'],
  ['\x7fELF', 'a program'],
  ['MZ\x90', 'a program'],
  ['GGUF', 'a GGUF model'],
  ['PAR1', 'a Parquet file'],
  ['SQLite format 3\0', 'an SQLite database'],
];

/**
 * The format of a file, by its content; name and media type only decide between kinds of text.
 * @throws UNSUPPORTED_MEDIA_TYPE when no parser takes it; DOCUMENT_UNREADABLE when it is empty, or is called PDF or DOCX and isn't
 */
export function detectFormat(bytes: Buffer, claim: DocumentClaim): FormatDetection {
  if (bytes.length === 0) throw new GraftError('DOCUMENT_UNREADABLE', 'The file is empty (0 bytes).');
  const claimed = claimedFormat(claim);
  const head = bytes.subarray(0, 1_024).toString('latin1');
  for (const format of FORMATS)
    if (format.kind === 'binary' && format.sniff(head, claimed === format))
      return { format, claimed: claimed === format };
  if (claimed !== 'other' && claimed?.kind === 'binary') throw notWhatItSays(claimed);
  const otherFormat = OTHERS.find(([start]) => head.startsWith(start));
  if (otherFormat !== undefined) throw unsupported(otherFormat[1], otherFormat[2]);
  if (claimed === 'other') throw unsupported(`of type ${claim.mediaType ?? ''}`);
  const decoded = decodeText(bytes);
  if (decoded === null) throw unsupported('a binary file of an unknown kind');
  return { format: textFormat(decoded.text, claimed), decoded };
}

function textFormat(text: string, claimed: TextFormat | null): TextFormat {
  const start = text
    .slice(0, 4_096)
    .replace(/^\ufeff/, '')
    .trimStart();
  const formats = FORMATS.filter((format) => format.kind === 'text');
  const proven = formats.find((format) => format.sniff(start));
  if (proven !== undefined) return proven;
  if (/^<\?xml/i.test(start)) throw unsupported('XML');
  const match = claimed ?? formats.find((format) => format.resembles(text));
  if (match === undefined) throw unsupported('text of an unknown kind');
  return match;
}

/** What name and media type say; `other` is a media type that no parser takes; null when they say nothing. */
function claimedFormat({ name, mediaType }: DocumentClaim): DocumentFormat | 'other' | null {
  const type = mediaType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const byName = FORMATS.find((format) => format.extensions.includes(extension));
  const byType = FORMATS.find((format) => format.mediaType === type || format.aliases.includes(type));
  // `text/plain` is what tools send for any text, so a name that says more wins over it.
  if (byType !== undefined) return byType.mediaType === 'text/plain' && byName !== undefined ? byName : byType;
  if (type !== '' && telling(type) !== null) return 'other';
  return byName ?? null;
}

export const notWhatItSays = (format: DocumentFormat): GraftError =>
  new GraftError('DOCUMENT_UNREADABLE', `The file is called ${format.label} but its content is not.`);

export const unsupported = (description: string, hint?: string): GraftError =>
  new GraftError('UNSUPPORTED_MEDIA_TYPE', `The file is ${description}. Taken are: ${takenFormats()}.`, { hint });
