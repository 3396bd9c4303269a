import { badInput } from './errors.js';

/**
 * Text as PostgreSQL, tokenizers and JSON all accept it.
 * @throws BAD_USER_INPUT on NUL or a lone surrogate, which no store keeps faithfully, and when it is empty or over `maxLength` UTF-16 units
 */
export function checkedText(value: string, field: string, maxLength: number, { allowEmpty = false } = {}): string {
  // The length comes first: looking through a text of 8 MB held the event loop for 8 ms.
  if (value.length > maxLength)
    throw badInput(field, `${field} has ${value.length} characters; at most ${maxLength} are taken.`);
  requireStorable(value, field);
  if (!allowEmpty && value.trim() === '') throw badInput(field, `${field} is empty.`);
  return value;
}

/** @throws BAD_USER_INPUT on NUL or a lone surrogate, which no store keeps faithfully */
export function requireStorable(value: string, field: string): void {
  if (value.includes('\0')) throw badInput(field, `${field} contains a NUL character.`);
  if (!value.isWellFormed()) throw badInput(field, `${field} contains a lone surrogate: it is not valid Unicode.`);
}

/** Text as every store keeps it: without NUL, and with U+FFFD in place of half a character. */
export const storable = (text: string): string => text.replaceAll('\0', '').toWellFormed();

/** The beginning of a text, of so many UTF-16 units at most: never half a character, which JSON columns refuse. */
export const beginningOf = (text: string, limit: number): string =>
  text.length <= limit ? text : text.slice(0, limit).replace(/[\ud800-\udbff]$/, '');

/** So much of a text's beginning as takes at most so many bytes of UTF-8 (4 or more), whole characters. */
export const beginningInBytes = (text: string, limit: number): string => {
  const bytes = Buffer.from(text);
  // What is left of a character that was cut is decoded as three bytes, and taken away.
  return bytes.length <= limit
    ? text
    : bytes
        .subarray(0, limit)
        .toString()
        .replace(/\ufffd$/, '');
};

/**
 * What can't be seen: control characters, fillers, blanks without width, soft hyphens and marks of direction, by which a name looks like another one
 * (https://trojansource.codes). Joiners and marks of style, which Persian, Hindi and emoji need, are not among them.
 */
export const UNSEEN = /(?![\u200c\u200d\ufe0e\ufe0f])[\p{Cc}\p{Default_Ignorable_Code_Point}]/u;

/** Letters and digits in a row, in their order. */
export const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

/** `12 %`, `12.5 %`: a share, 0 to 1, with so many decimals at most. */
export const percent = (share: number, decimals = 0): string => `${Number((100 * share).toFixed(decimals))} %`;

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** Names of collections, adapters and datasets: 1..63 of letters, digits, `.`, `_`, `-`, starting with a letter or digit. */
export function checkedName(value: string, field: string): string {
  if (!NAME.test(value))
    throw badInput(
      field,
      `${field} must be 1 to 63 letters, digits, ".", "_" or "-", and start with a letter or digit.`,
    );
  return value;
}
