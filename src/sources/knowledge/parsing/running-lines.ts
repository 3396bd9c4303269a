import { collapse } from './builder.js';
import type { PdfLine } from './pdf-lines.js';

/** A line is a running head, or foot, if it is on this share of the pages, and on two of them. */
const MIN_SHARE = 0.6;
/** Numbers of a line that may be its page's: a hostile line has thousands. */
const MAX_NUMBERS = 8;
/** No running head with a page number is longer. */
const MAX_LENGTH = 300;
/** Pages before a file's first one, or numbered otherwise, as far as a number without a word for page may be one. */
const FRONT_MATTER = 30;

const PAGE_BEFORE =
  /(?:\b(?:page|pages|pg|p|seite|p[áa]gina|p[áa]g|pagina|side|sida|blad|strona)|страница|стр|第)[.:]?\s*$/iu;
const PAGE_AFTER = /^\s*(?:页|頁|ページ)/u;
/** What counts something else than pages. */
const LABEL_BEFORE = /(?:\b(?:no|nr|num|number|id|ref)[.:]?|№|#)\s*$/iu;
/** Beside a number that stands alone; with how many pages there are. */
const ALONE_BEFORE = /^[\p{P}\p{S}\s]*$/u;
const ALONE_AFTER = /^[\p{P}\p{S}\s]*(?:(?:\/|\b(?:of|von|de|di|sur|van)\b)\s*\d+)?[\p{P}\p{S}\s]*$/iu;

/** What lines of several pages share. */
interface Shape {
  /** Height and text, without the number that may be the page's. */
  template: string;
  /** How far the number is from the page's place in the file, which stays as long as it advances with the pages; null without a number. */
  distance: number | null;
  /** Whether something tells that the number is the page's; a small number without it may as well be. */
  certain: boolean;
}

/**
 * The lines of each page without those that stand at the same height in the margin of most pages and are the same, but for
 * the page's number. Other numbers are text: each page may be an invoice, and its number stands nowhere else.
 */
export function withoutRunningLines(pages: readonly PdfLine[][]): PdfLine[][] {
  if (pages.length < 2) return [...pages];
  const shapes = advancing(
    pages.map((lines, page) => new Map(lines.map((line) => [line, shapesOf(line, page, pages.length)]))),
  );
  const certain = commonTemplates(shapes, (shape) => shape.certain);
  const numbers = commonTemplates(shapes, (shape) => shape.certain && shape.distance !== null);
  // Where the pages' numbers are known, no other number that goes with the pages is theirs.
  const running =
    numbers.size > 0 ? certain : new Set([...certain, ...commonTemplates(shapes, (shape) => !shape.certain)]);
  return pages.map((lines, page) =>
    lines.filter((line) => !shapes[page]!.get(line)!.some(({ template }) => running.has(template))),
  );
}

type PageShapes = ReadonlyMap<PdfLine, readonly Shape[]>;

/** Without the numbers that the page before or behind doesn't go on with. */
function advancing(pages: readonly PageShapes[]): PageShapes[] {
  const keyOf = ({ template, distance }: Shape): string => `${distance} ${template}`;
  const keys = pages.map((lines) => new Set([...lines.values()].flat().map(keyOf)));
  return pages.map((lines, page) => {
    const goesOn = (shape: Shape): boolean =>
      [page - 1, page + 1].some((neighbour) => keys[neighbour]?.has(keyOf(shape)) === true);
    return new Map([...lines].map(([line, shapes]) => [line, shapes.filter((s) => s.distance === null || goesOn(s))]));
  });
}

/** The templates that enough pages have. */
function commonTemplates(pages: readonly PageShapes[], predicate: (shape: Shape) => boolean): Set<string> {
  const counts = new Map<string, number>();
  for (const lines of pages)
    for (const template of new Set(
      [...lines.values()]
        .flat()
        .filter(predicate)
        .map((shape) => shape.template),
    ))
      counts.set(template, (counts.get(template) ?? 0) + 1);
  const enough = Math.max(2, MIN_SHARE * pages.length);
  return new Set([...counts].filter(([, count]) => count >= enough).map(([template]) => template));
}

/** @param page from 0 */
function shapesOf(line: PdfLine, page: number, pages: number): Shape[] {
  if (!line.margin || isFigures(line)) return [];
  const text = collapse(line.text);
  const height = Math.round(line.y / 4);
  const exactShape = { template: `same ${height} ${text}`, distance: null, certain: true };
  if (text.length > MAX_LENGTH) return [exactShape];
  const numbers = [...text.matchAll(/\d{1,6}/g)].slice(0, MAX_NUMBERS);
  return [
    exactShape,
    ...numbers.flatMap(({ 0: digits, index }): Shape[] => {
      const [prefix, suffix] = [text.slice(0, index), text.slice(index + digits.length)];
      const certain = isPageNumber(prefix, suffix);
      const number = Number(digits);
      if (!certain && (number > pages + FRONT_MATTER || LABEL_BEFORE.test(prefix))) return [];
      return [{ template: `numbered ${height} ${prefix}#${suffix}`, distance: number - page, certain }];
    }),
  ];
}

const isPageNumber = (prefix: string, suffix: string): boolean =>
  PAGE_BEFORE.test(prefix) || PAGE_AFTER.test(suffix) || (ALONE_BEFORE.test(prefix) && ALONE_AFTER.test(suffix));

/** A row of figures, as at the edge of a page whose table goes on. */
const isFigures = ({ cells, text }: PdfLine): boolean => cells.length > 1 && !/\p{L}/u.test(text);
