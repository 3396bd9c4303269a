import fc from 'fast-check';
import { StopScanner, TokenText } from '../../gpu-worker/engines/inference/answer-text.js';

/** Cuts a text's UTF-8 bytes at the given places, as a byte-level vocabulary may. */
function cutBytes(text: string, cuts: number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

function cutText(text: string, cuts: number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
}

const decode = (tokens: readonly Buffer[]): string => Buffer.concat(tokens).toString('utf8');

describe('text of tokens', () => {
  it('gives whole characters only, and all of them, wherever the tokens end', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !value.includes('\ufffd'));
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 40 }), (value, cuts) => {
        const tokens = new TokenText<Buffer>(decode, []);
        const pieces = cutBytes(value, cuts).map((token) => tokens.next(token));
        for (const piece of pieces) expect(piece).not.toContain('\ufffd');
        expect(pieces.join('') + tokens.end()).toBe(value);
      }),
    );
  });

  it('gives whole characters also when no token ends with one, however many there are', () => {
    const value = '😀'.repeat(12);
    const tokens = new TokenText<Buffer>(decode, []);
    // Cut in the middle of each character: every token but the last ends in half of one.
    const pieces = cutBytes(
      value,
      Array.from({ length: 12 }, (_, index) => 4 * index + 2),
    ).map((token) => tokens.next(token));
    for (const piece of pieces) expect(piece).not.toContain('\ufffd');
    expect(pieces.filter((piece) => piece === '😀')).toHaveLength(12);
    expect(pieces.join('') + tokens.end()).toBe(value);
  });

  it('drops the part of a character that never became whole', () => {
    const tokens = new TokenText<Buffer>(decode, []);
    const [first, second] = cutBytes('a😀', [3]);
    expect(tokens.next(first ?? Buffer.alloc(0)) + tokens.end()).toBe('a');
    expect(second?.length).toBe(2);
  });

  it('does not wait for ever for bytes that are no text', () => {
    const tokens = new TokenText<Buffer>(decode, []);
    const pieces = Array.from({ length: 20 }, () => tokens.next(Buffer.from([0xff])));
    expect(pieces.join('').length).toBeGreaterThan(8);
  });
});

describe('stop texts', () => {
  it('end the answer at the first of them, however it is cut, and no part of them leaves', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 40 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 5 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.nat(), { maxLength: 20 }), (text, stopTexts, cuts) => {
        const scanner = new StopScanner(stopTexts);
        let answer = '';
        for (const piece of cutText(text, cuts)) {
          answer += scanner.push(piece);
          if (scanner.stopped) break;
        }
        answer += scanner.end();
        // What a scanner sees when a stop text becomes complete: the shortest beginning of the text that contains one.
        let expected = text;
        let seen = 0;
        const found = (): number[] =>
          stopTexts.map((stop) => text.slice(0, seen).indexOf(stop)).filter((index) => index >= 0);
        for (const piece of cutText(text, cuts)) {
          seen += piece.length;
          if (found().length === 0) continue;
          expected = text.slice(0, Math.min(...found()));
          break;
        }
        expect(answer).toBe(expected);
        for (const stop of stopTexts) expect(answer).not.toContain(stop);
      }),
    );
  });

  it('hold back a beginning only as long as it may become a stop text', () => {
    const scanner = new StopScanner(['\nUser:']);
    expect(scanner.push('Yes\nUs')).toBe('Yes');
    expect(scanner.push('ually')).toBe('\nUsually');
    expect(scanner.push(' so\nUser')).toBe(' so');
    expect(scanner.push(': and')).toBe('');
    expect(scanner.stopped).toBe(true);
  });
});
