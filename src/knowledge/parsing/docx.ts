import mammoth from 'mammoth';
import { GraftError } from '../../kernel/errors.js';
import type { ParsedDocument } from './document.js';
import { parseHtml } from './html.js';

/** Word's Title and Subtitle are headings to a reader. */
const STYLES = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => h2:fresh"];

/**
 * DOCX through mammoth's HTML, so that headings, lists and tables read as they do in HTML. Pictures are left out.
 * The caller has checked the archive with `checkZip`.
 * @throws DOCUMENT_UNREADABLE when Word's XML inside is damaged
 */
export async function parseDocx(bytes: Buffer, name: string): Promise<ParsedDocument> {
  let html: string;
  try {
    const result = await mammoth.convertToHtml(
      { buffer: bytes },
      {
        styleMap: STYLES,
        externalFileAccess: false,
        includeEmbeddedStyleMap: false,
        convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
      },
    );
    html = result.value;
  } catch (cause) {
    throw new GraftError('DOCUMENT_UNREADABLE', 'The file is not a readable DOCX document.', { cause });
  }
  return parseHtml(html, name, { format: 'docx' });
}
