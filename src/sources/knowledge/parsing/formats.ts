import type { DocumentFormat } from './document.js';
import { docx } from './docx.js';
import { html } from './html.js';
import { markdown } from './markdown.js';
import { pdf } from './pdf.js';
import { text } from './text.js';

/** Every kind of file that is taken, in the order in which a file is held against them. A new one is a file and an entry here. */
export const FORMATS: readonly DocumentFormat[] = [docx, pdf, html, markdown, text];

/** `plain text (text/plain), Markdown (text/markdown), …`: what a refusal tells the user. */
export const takenFormats = (): string =>
  FORMATS.toReversed()
    .map((format) => `${format.label} (${format.mediaType})`)
    .join(', ');
