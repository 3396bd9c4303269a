import { GraftError } from '../../kernel/errors.js';
import { type Decoded, decodeText } from './decode.js';
import { type DocumentClaim, type DocumentFormat, FORMATS, takenFormats } from './document.js';

export type Detected =
  | { format: 'pdf' }
  /** Any ZIP: whether it is a DOCX shows when its entries are read; `claimed` when it is called one. */
  | { format: 'docx'; claimed: boolean }
  | { format: 'text' | 'markdown' | 'html'; decoded: Decoded };

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

const GENERIC_TYPES = new Set(['application/octet-stream', 'binary/octet-stream', 'application/x-www-form-urlencoded']);

/**
 * The format of a file, by its content; name and media type only decide between kinds of text.
 * @throws UNSUPPORTED_MEDIA_TYPE when no parser takes it; DOCUMENT_UNREADABLE when it is empty, or is called PDF or DOCX and isn't
 */
export function detectFormat(bytes: Buffer, claim: DocumentClaim): Detected {
  if (bytes.length === 0) throw new GraftError('DOCUMENT_UNREADABLE', 'The file is empty (0 bytes).');
  const claimed = claimedFormat(claim);
  const head = bytes.subarray(0, 1_024).toString('latin1');
  // Some writers put a few bytes before the header, and readers take it; plain text may speak of "%PDF-" too.
  if (head.startsWith('%PDF-') || (claimed === 'pdf' && head.includes('%PDF-'))) return { format: 'pdf' };
  if (head.startsWith('PK\x03\x04')) return { format: 'docx', claimed: claimed === 'docx' };
  if (claimed === 'pdf' || claimed === 'docx') throw notWhatItSays(claimed);
  const other = OTHERS.find(([start]) => head.startsWith(start));
  if (other !== undefined) throw unsupported(other[1], other[2]);
  if (claimed === 'other') throw unsupported(`of type ${claim.mediaType ?? ''}`);
  const decoded = decodeText(bytes);
  if (decoded === null) throw unsupported('a binary file of an unknown kind');
  return { format: textFormat(decoded.text, claimed), decoded };
}

function textFormat(text: string, claimed: DocumentFormat | null): 'text' | 'markdown' | 'html' {
  const start = text
    .slice(0, 4_096)
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(start))
    return 'html';
  if (/^<\?xml/i.test(start)) throw unsupported('XML');
  if (claimed === 'html' || claimed === 'markdown' || claimed === 'text') return claimed;
  return looksLikeMarkdown(text) ? 'markdown' : 'text';
}

/** Two kinds of evidence, or two headings, in the first 20,000 characters: one `#` alone may be a comment. */
function looksLikeMarkdown(text: string): boolean {
  const sample = text.slice(0, 20_000);
  const headings = sample.match(/^#{1,6} \S/gm)?.length ?? 0;
  const marks = [/^\|.*\|\s*\n\|[\s:|-]+\|\s*$/m, /^```/m, /\]\(\S+\)/, /\*\*\S/, /^(?:[-*+]|\d+\.) \S/m];
  const evidence = marks.filter((mark) => mark.test(sample)).length;
  return headings >= 2 || (headings === 1 && (evidence >= 1 || /^# /.test(sample))) || evidence >= 3;
}

/** What name and media type say; `other` is a media type that no parser takes; null when they say nothing. */
function claimedFormat({ name, mediaType }: DocumentClaim): DocumentFormat | 'other' | null {
  const type = mediaType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const formats = Object.entries(FORMATS) as [DocumentFormat, (typeof FORMATS)[DocumentFormat]][];
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const byName = formats.find(([, format]) => format.extensions.includes(extension))?.[0];
  const byType = formats.find(([, format]) => format.mediaType === type || format.aliases.includes(type))?.[0];
  // `text/plain` is what tools send for any text, so a name that says more wins over it.
  if (byType !== undefined) return byType === 'text' && byName !== undefined ? byName : byType;
  if (type !== '' && !GENERIC_TYPES.has(type)) return 'other';
  return byName ?? null;
}

export const notWhatItSays = (format: DocumentFormat): GraftError =>
  new GraftError('DOCUMENT_UNREADABLE', `The file is called ${FORMATS[format].label} but its content is not.`);

export const unsupported = (what: string, hint?: string): GraftError =>
  new GraftError('UNSUPPORTED_MEDIA_TYPE', `The file is ${what}. Taken are: ${takenFormats()}.`, { hint });
