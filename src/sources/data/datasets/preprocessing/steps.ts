import { choice } from '../../../../kernel/record.js';
import { badInput } from '../../../../kernel/errors.js';
import { findPii } from '../pii/find-pii.js';
import { editsOf, type Edit } from './edits.js';

/** The steps a dataset may declare. Their order is the declared one, and it is recorded in the version. */
export const PreprocessingStep = choice(
  'PreprocessingStep',
  'Something that is done to texts before they are learned from, and to questions before they are answered.',
  {
    UNICODE_NFC: 'Characters are composed (Unicode NFC).',
    UNICODE_NFKC: 'Characters are composed and compatibility forms folded (Unicode NFKC).',
    WHITESPACE: 'Blanks at the ends go, runs of blanks become one, invisible characters go.',
    HTML: 'Tags, comments and scripts go; references become characters.',
    MASK_PII: 'E-mail addresses, telephone numbers, cards, accounts and keys become `[EMAIL]`, `[PHONE]`, …',
    DEDUPLICATE: 'Later copies of the same text with the same answer are left out of the version.',
  },
);
export type PreprocessingStep = keyof typeof PreprocessingStep;

/** Each step takes the whole text's time again. @throws BAD_USER_INPUT for one that is named twice */
export function checkedSteps(steps: readonly PreprocessingStep[], field: string): PreprocessingStep[] {
  const twice = steps.find((step, i) => steps.indexOf(step) < i);
  if (twice !== undefined) throw badInput(field, `${field} has ${twice} more than once.`, 'Name each step once.');
  return [...steps];
}

/** A base character with its combining marks, or a run of Hangul letters: what normalisation changes as one. */
const CLUSTER = /[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uac00-\ud7af]+|\P{M}?\p{M}+|[^\p{M}\p{ASCII}]/gu;

function normalise(text: string, form: 'NFC' | 'NFKC'): Edit[] {
  const whole = text.normalize(form);
  if (whole === text) return [];
  const edits = editsOf(text, CLUSTER, ([cluster]) => cluster.normalize(form));
  // Rare sequences compose across clusters; then the whole text is one edit, and spans keep only their outer bounds.
  let rebuilt = '';
  let from = 0;
  for (const edit of edits) {
    rebuilt += text.slice(from, edit.start) + edit.by;
    from = edit.end;
  }
  return rebuilt + text.slice(from) === whole ? edits : [{ start: 0, end: text.length, by: whole }];
}

const INVISIBLE = '\u00ad\u200b\u2060\ufeff';
/** Runs of blanks, with line ends in them or not; and characters that no one sees. */
const BLANKS = new RegExp(`[\\s\\u0085${INVISIBLE}]+`, 'g');

function whitespace(text: string): Edit[] {
  return editsOf(text, BLANKS, (match) => {
    const run = match[0];
    if (match.index === 0 || match.index + run.length === text.length) return '';
    const lineEnds = run.match(/\r\n|[\n\r\u0085\u2028\u2029]/g)?.length ?? 0;
    if (lineEnds > 0) return lineEnds > 1 ? '\n\n' : '\n';
    return /\s/.test(run.replaceAll('\ufeff', '')) ? ' ' : '';
  });
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  euro: '€',
  pound: '£',
  copy: '©',
  reg: '®',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  iexcl: '¡',
  iquest: '¿',
  aacute: 'á',
  eacute: 'é',
  iacute: 'í',
  oacute: 'ó',
  uacute: 'ú',
  ntilde: 'ñ',
  uuml: 'ü',
  ouml: 'ö',
  auml: 'ä',
};
const BLOCK = /^<\/?(?:p|div|br|li|ul|ol|tr|table|h[1-6]|blockquote|section|article|header|footer|pre|hr|dd|dt)\b/i;
const HTML =
  /<!--[\s\S]{0,20000}?-->|<(script|style)\b[^<>]*>[\s\S]{0,20000}?<\/\1\s*>|<!doctype[^<>]*>|<\/?[a-z][a-z0-9-]*(?:\s[^<>]*|\/)?>|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});/gi;

function entity(reference: string): string {
  const body = reference.slice(1, -1).toLowerCase();
  if (!body.startsWith('#')) return NAMED[body] ?? reference;
  const code = body[1] === 'x' ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
  return code > 0x10ffff || code === 0 || (code >= 0xd800 && code < 0xe000) ? '\ufffd' : String.fromCodePoint(code);
}

/** Removes tags, comments, scripts and styles and decodes references, once: `&lt;b&gt;` becomes `<b>` and stays. */
const html = (text: string): Edit[] =>
  /[<&]/.test(text)
    ? editsOf(text, HTML, ([match]) => (match.startsWith('&') ? entity(match) : BLOCK.test(match) ? '\n' : ''))
    : [];

const maskPii = (text: string): Edit[] =>
  findPii(text).map(({ kind, start, end }) => ({ start, end, by: `[${kind}]` }));

/** What each step does to one text. `DEDUPLICATE` concerns whole rows of a version and leaves a single text alone. */
export const TEXT_STEPS: Readonly<Record<PreprocessingStep, (text: string) => Edit[]>> = {
  [PreprocessingStep.UNICODE_NFC]: (text) => normalise(text, 'NFC'),
  [PreprocessingStep.UNICODE_NFKC]: (text) => normalise(text, 'NFKC'),
  [PreprocessingStep.WHITESPACE]: whitespace,
  [PreprocessingStep.HTML]: html,
  [PreprocessingStep.MASK_PII]: maskPii,
  [PreprocessingStep.DEDUPLICATE]: () => [],
};
