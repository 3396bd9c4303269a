import { GraftError } from '../../../kernel/errors.js';
import { detectFormat, notWhatItSays, unsupported } from './detect.js';
import { NotThisFormat, type DocumentClaim, type ParsedDocument } from './document.js';

/**
 * Reads a file of any supported kind. Runs in the parsing process, never in the gateway: see isolated-parser.ts.
 * @throws UNSUPPORTED_MEDIA_TYPE, DOCUMENT_UNREADABLE, PAYLOAD_TOO_LARGE
 */
export async function parseDocument(bytes: Buffer, claim: DocumentClaim): Promise<ParsedDocument> {
  try {
    const detected = detectFormat(bytes, claim);
    if ('decoded' in detected) {
      const { text, note } = detected.decoded;
      return detected.format.parse(text, claim.name, note === null ? [] : [note]);
    }
    const { format, claimed } = detected;
    try {
      return await format.parse(bytes, claim.name);
    } catch (error) {
      if (!(error instanceof NotThisFormat)) throw error;
      throw claimed ? notWhatItSays(format) : unsupported(error.what);
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
