import { textFields } from '../../tasks/index.js';
import { Severity, type RowRule } from '../rule.js';

const BROKEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd\ufffe\uffff]/;

/** UTF-8 that was read as Latin-1 or Windows-1252: a lead byte as letter, followed by a continuation byte as sign. */
const MOJIBAKE = /[ÃÂ][\u0080-\u00bf‘’“”•–—€™]|â€[\u0080-\u00bf™œ“”˜¦]|ï»¿/;

export const BROKEN_TEXT: RowRule = {
  id: 'broken-text',
  severity: Severity.ERROR,
  meaning: 'The text holds control characters, replacement characters or halves of characters.',
  cure: 'Export the file again as UTF-8.',
  check(row) {
    for (const [field, text] of textFields(row)) {
      const match = BROKEN.exec(text);
      if (match)
        return `${field} holds U+${match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')} at ${match.index}`;
      if (!text.isWellFormed()) return `${field} holds half of a character`;
    }
    return null;
  },
};

export const MISREAD_TEXT: RowRule = {
  id: 'misread-text',
  severity: Severity.WARNING,
  meaning: 'The text looks like UTF-8 that was once read in another encoding, or holds an invisible mark.',
  cure: 'Repair the source; the steps WHITESPACE and UNICODE_NFC remove invisible marks.',
  check(row) {
    for (const [field, text] of textFields(row)) {
      const misread = MOJIBAKE.exec(text);
      if (misread) return `${field} holds ${JSON.stringify(misread[0])}`;
      if (text.includes('\ufeff')) return `${field} holds a byte order mark`;
    }
    return null;
  },
};
