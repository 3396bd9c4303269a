import { analyzedWords } from '../read/words.js';

/**
 * A text with its numbers as a source writes them, where their values are the same: `1500` as `1,500.00`, `3.5` as `3,5`. JSON has one way to write a number,
 * documents have several, and words are compared as they are written.
 */
export function numbersAsIn(source: string, text: string): string {
  const sourceWords = analyzedWords(source).filter(({ numeric }) => numeric);
  return text.replace(NUMBER, (numeral) => {
    const numeralValues = valuesOf(numeral);
    const hasSameValue = ({ text: sourceText }: { text: string }): boolean =>
      valuesOf(sourceText).some((value) => numeralValues.includes(value));
    return (
      (sourceWords.find(({ text: sourceText }) => sourceText === numeral) ?? sourceWords.find(hasSameValue))?.text ??
      numeral
    );
  });
}

const NUMBER = /(?<![\p{L}\p{N}]|\p{N}[.,])\d+(?:[.,]\d+)*/gu;

/** What a number can be worth: `1.250` is thousands in one half of the world and a decimal in the other. Empty for `3.5.1` and what else is none. */
function valuesOf(numeral: string): number[] {
  const values: number[] = [];
  if (COMMAS_PART.test(numeral)) values.push(Number(numeral.replaceAll(',', '')));
  if (POINTS_PART.test(numeral)) values.push(Number(numeral.replaceAll('.', '').replace(',', '.')));
  if (DECIMAL.test(numeral)) values.push(Number(numeral.replace(',', '.')));
  return values;
}

const COMMAS_PART = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/;
const POINTS_PART = /^[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?$/;
/** Not `1,500` and `12.000`, which are read as thousands everywhere: see `words.ts`. */
const DECIMAL = /^(?![1-9]\d{0,2}(?:,\d{3}|\.000)$)\d+(?:[.,]\d+)?$/;
