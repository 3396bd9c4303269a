import { GraftError } from '../../kernel/errors.js';
import { detectFormat, notWhatItSays, unsupported } from './detect.js';
import type { DocumentClaim, ParsedDocument } from './document.js';
import { parseDocx } from './docx.js';
import { parseHtml } from './html.js';
import { parseMarkdown } from './markdown.js';
import { parsePdf } from './pdf.js';
import { parseText } from './text.js';
import { DOCX_LIMITS, checkZip } from './zip-guard.js';

/**
 * Reads a file of any supported kind. Runs in the parsing process, never in the gateway: see isolated-parser.ts.
 * @throws UNSUPPORTED_MEDIA_TYPE, DOCUMENT_UNREADABLE, PAYLOAD_TOO_LARGE
 */
export async function parseDocument(bytes: Buffer, claim: DocumentClaim): Promise<ParsedDocument> {
  try {
    const detected = detectFormat(bytes, claim);
    switch (detected.format) {
      case 'pdf':
        return await parsePdf(new Uint8Array(bytes), claim.name);
      case 'docx': {
        const entries = await checkZip(bytes, DOCX_LIMITS);
        if (!entries.has('word/document.xml'))
          throw detected.claimed ? notWhatItSays('docx') : unsupported('a ZIP archive without a Word document in it');
        return await parseDocx(bytes, claim.name);
      }
      default: {
        const { text, note } = detected.decoded;
        const notes = note === null ? [] : [note];
        if (detected.format === 'html') return parseHtml(text, claim.name, { notes });
        if (detected.format === 'markdown') return parseMarkdown(text, claim.name, notes);
        return parseText(text, claim.name, notes);
      }
    }
  } catch (error) {
    if (error instanceof GraftError) throw error;
    const deep = error instanceof RangeError;
    throw new GraftError(
      'DOCUMENT_UNREADABLE',
      deep ? 'The document is nested too deeply.' : 'The document could not be parsed.',
      {
        cause: error,
      },
    );
  }
}
