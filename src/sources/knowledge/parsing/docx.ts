import mammoth from 'mammoth';
import { GraftError } from '../../../kernel/errors.js';
import { NotThisFormat, type BinaryFormat, type ParsedDocument } from './document.js';
import { parseHtml } from './html.js';
import { checkZip, DOCX_LIMITS } from './zip-guard.js';

/** Any ZIP may be one: whether it is shows when its entries are read. */
export const docx: BinaryFormat = {
  kind: 'binary',
  name: 'docx',
  label: 'DOCX',
  mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  aliases: [],
  extensions: ['docx'],
  sniff: (head) => head.startsWith('PK\x03\x04'),
  async parse(bytes, name) {
    const entries = await checkZip(bytes, DOCX_LIMITS);
    if (!entries.has('word/document.xml')) throw new NotThisFormat('a ZIP archive without a Word document in it');
    return parseDocx(bytes, name);
  },
};

/** Word's Title and Subtitle are headings to a reader. */
const STYLES = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => h2:fresh"];

/**
 * DOCX through mammoth's HTML, so that headings, lists and tables read as they do in HTML. Pictures are left out.
 * The archive has been checked with `checkZip`.
 * @throws DOCUMENT_UNREADABLE when Word's XML inside is damaged
 */
async function parseDocx(bytes: Buffer, name: string): Promise<ParsedDocument> {
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
  return parseHtml(html, name, docx);
}
