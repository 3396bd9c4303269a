import fc from 'fast-check';
import { splitSentences } from '../../../src/kernel/sentences.js';

const texts = (source: string) => splitSentences(source).map((sentence) => sentence.text);

describe('splitSentences', () => {
  it.each([
    ['Dr. Smith met J. R. Tolkien. They spoke.', ['Dr. Smith met J. R. Tolkien.', 'They spoke.']],
    ['See e.g. Fig. 3. Then go on.', ['See e.g. Fig. 3.', 'Then go on.']],
    [
      'The U.S. Army left. It was in the U.S. The rest stayed.',
      ['The U.S. Army left.', 'It was in the U.S.', 'The rest stayed.'],
    ],
    ['The answer is no. Ask again.', ['The answer is no.', 'Ask again.']],
    ['See no. 5. Version 3.5.1 is out!', ['See no. 5.', 'Version 3.5.1 is out!']],
    ['It opens at 3 p.m. Bring a coat.', ['It opens at 3 p.m.', 'Bring a coat.']],
    ['El Sr. García llegó. ¿Quién es?', ['El Sr. García llegó.', '¿Quién es?']],
    ['Take vitamin C. The dose is small.', ['Take vitamin C.', 'The dose is small.']],
    ['A. The first. A. Smith left.', ['A.', 'The first.', 'A. Smith left.']],
  ])('keeps abbreviations together: %s', (source, expected) => {
    expect(texts(source)).toEqual(expected);
  });

  it.each([
    ['The pump stopped. iPhones kept working.', ['The pump stopped.', 'iPhones kept working.']],
    ['it was slow . then it ended .', ['it was slow .', 'then it ended .']],
    ['we left early. nobody asked why.', ['we left early.', 'nobody asked why.']],
    ['It takes approx. ten minutes, cf. the table.', ['It takes approx. ten minutes, cf. the table.']],
    ['The max. load incl. packing is low.', ['The max. load incl. packing is low.']],
    ['"Why?" she asked. "No."', ['"Why?" she asked.', '"No."']],
  ])('sees an end before a small letter, where it is one: %s', (source, expected) => {
    expect(texts(source)).toEqual(expected);
  });

  it.each([
    [
      'File a ticket at https://jira.example/create?project=OPS and wait. Nobody calls.',
      ['File a ticket at https://jira.example/create?project=OPS and wait.', 'Nobody calls.'],
    ],
    ['Open /app#!/Settings first. Then save.', ['Open /app#!/Settings first.', 'Then save.']],
    ['The check is x != y. It must hold.', ['The check is x != y.', 'It must hold.']],
    ['Who?Nobody.', ['Who?', 'Nobody.']],
    ['Does it float? yes.', ['Does it float?', 'yes.']],
  ])('goes on behind the mark of an address or a formula: %s', (source, expected) => {
    expect(texts(source)).toEqual(expected);
  });

  it.each([
    [
      'Die Frist endet am 31. Dezember 2024. Danach gilt sie neu.',
      ['Die Frist endet am 31. Dezember 2024.', 'Danach gilt sie neu.'],
    ],
    ['Im 19. Jahrhundert stand hier ein Turm.', ['Im 19. Jahrhundert stand hier ein Turm.']],
    ['Es gilt z. B. Strom als Energie. Gas nicht.', ['Es gilt z. B. Strom als Energie.', 'Gas nicht.']],
    ['Zahlbar i. d. R. Montags.', ['Zahlbar i. d. R. Montags.']],
    ['Das steht in § 3 Abs. 2 Satz 1. Mehr nicht.', ['Das steht in § 3 Abs. 2 Satz 1.', 'Mehr nicht.']],
    [
      'Der Preis ist 30 Euro einschl. der Steuer und inkl. Porto.',
      ['Der Preis ist 30 Euro einschl. der Steuer und inkl. Porto.'],
    ],
    ['Cuesta aprox. de 30 a 40 euros.', ['Cuesta aprox. de 30 a 40 euros.']],
    ['There are 31. December is cold.', ['There are 31.', 'December is cold.']],
  ])('reads dates and abbreviations of German and Spanish: %s', (source, expected) => {
    expect(texts(source)).toEqual(expected);
  });

  it('ends a sentence at every line, and leaves bullets but not numbers out', () => {
    expect(texts('Steps\n1. Open it. Look inside.\n- Plan: Team; Price: $12\n• Second')).toEqual([
      'Steps',
      '1. Open it.',
      'Look inside.',
      'Plan: Team; Price: $12',
      'Second',
    ]);
  });

  it('returns nothing for white space', () => {
    expect(splitSentences(' \n\t ')).toEqual([]);
  });

  it('has exact, ordered offsets, and loses nothing but white space and bullets', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom('. ', '\n', 'e.g. ', '- ', '1. ', '! ', ' ', 'U.S. ', '😀', '\r\n'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const source = pieces.join('');
        let end = 0;
        for (const sentence of splitSentences(source)) {
          expect(sentence.text).toBe(source.slice(sentence.start, sentence.end));
          expect(sentence.text).toBe(sentence.text.trim());
          expect(source.slice(end, sentence.start)).toMatch(/^\s*(?:[-*+•‣▪◦–—]\s+)*$/);
          end = sentence.end;
        }
        expect(source.slice(end)).toMatch(/^\s*(?:[-*+•‣▪◦–—]\s*)*$/);
      }),
    );
  });

  it('stays linear on megabytes that never end a sentence: the segmenter reads each character hardly more than once', () => {
    const text = 'J. '.repeat(300_000);
    const segment = jest.spyOn(Intl.Segmenter.prototype, 'segment');
    try {
      splitSentences(text);
      const read = segment.mock.calls.reduce((sum, [given]) => sum + given.length, 0);
      expect(read).toBeGreaterThanOrEqual(text.length);
      expect(read).toBeLessThan(1.5 * text.length);
    } finally {
      segment.mockRestore();
    }
  });
});
