/** Letters, digits and marks of scripts that part words by spaces; in others every character may begin or end a span. */
const WORD = /[\p{L}\p{N}\p{M}]/u;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const LETTER = /\p{L}/u;
const DIGIT = /\p{N}/u;
/** What joins two letters into one word, and two digits into one number. */
const JOINS_LETTERS = /['’_-]/u;
const JOINS_DIGITS = /[.,:/]/u;

/**
 * Where words may be parted: for each UTF-16 offset of the text, whether a span may begin or end there. Inside a word, a number
 * (`6.5`, `10:30`) or a compound (`single-stranded`) it may not: a part of them says something else.
 */
export function bordersOf(text: string): boolean[] {
  const borders = Array<boolean>(text.length + 1).fill(false);
  const characters = [...text];
  let offset = 0;
  characters.forEach((character, index) => {
    borders[offset] = !isJoined(characters, index);
    offset += character.length;
  });
  borders[text.length] = true;
  return borders;
}

/** Whether the character at `index` belongs to the word that the one before it belongs to. */
function isJoined(characters: readonly string[], index: number): boolean {
  const [beforeLast, last, current, next] = [-2, -1, 0, 1].map((shift) => characters[index + shift] ?? '') as [
    string,
    string,
    string,
    string,
  ];
  if (isWord(last) && isWord(current)) return true;
  const joins = (left: string, joint: string, right: string): boolean =>
    (JOINS_LETTERS.test(joint) && LETTER.test(left) && LETTER.test(right)) ||
    (JOINS_DIGITS.test(joint) && DIGIT.test(left) && DIGIT.test(right));
  return joins(last, current, next) || joins(beforeLast, last, current);
}

const isWord = (character: string): boolean => WORD.test(character) && !UNSPACED.test(character);

/** A place between two characters of a text; `before` and `after` are empty at its ends. */
interface TextPlace {
  /** UTF-8 bytes in front of it. */
  bytes: number;
  before: string;
  after: string;
  isBorder: boolean;
}

/** Every place of a text, its ends included, in order. */
export function placesOf(text: string): TextPlace[] {
  const borders = bordersOf(text);
  const places: TextPlace[] = [];
  let bytes = 0;
  let offset = 0;
  let previousCharacter = '';
  for (const character of [...text, '']) {
    places.push({ bytes, before: previousCharacter, after: character, isBorder: borders[offset]! });
    bytes += Buffer.byteLength(character);
    offset += character.length;
    previousCharacter = character;
  }
  return places;
}

/** Whether a word, number or sign begins at a place. */
export const beginsWord = ({ isBorder, after }: TextPlace): boolean => isBorder && !isBlank(after);
/** Whether one ends there. */
export const endsWord = ({ isBorder, before }: TextPlace): boolean => isBorder && !isBlank(before);
/** Whether it is white space, or none at the end of a text. */
export const isBlank = (character: string): boolean => /^\s?$/u.test(character);
