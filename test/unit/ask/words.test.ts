import fc from 'fast-check';
import { contentStems, contentWords, stemOf, analyzedWords } from '../../../src/answer/ask/read/words.js';

describe('words', () => {
  it.each([
    ['battery', 'batteries'],
    ['swap', 'swapped'],
    ['swap', 'swapping'],
    ['charge', 'charges'],
    ['control', 'controller'],
    ['control', 'controlled'],
    ['quick', 'quickly'],
    ['fix', 'fixes'],
    ['company', "company's"],
    ['ciudad', 'ciudades'],
  ])('reads %s and %s as one word', (one, other) => {
    expect(stemOf(one)).toBe(stemOf(other));
  });

  it.each([
    ['cat', 'category'],
    ['car', 'care'],
    ['£30', '£300'],
  ])('keeps %s and %s apart', (one, other) => {
    expect([...contentStems(one)]).not.toEqual([...contentStems(other)]);
  });

  it.each([
    ['How long does the Vane Pro run in Oakleaf?', ['Vane', 'Pro', 'Oakleaf']],
    ['Wann kommt die Lieferung von 12 RMA Nummern an?', ['12', 'RMA']],
    ['Wann endet der Vertrag zwischen Mieter und Vermieter?', []],
    ['Wie hoch ist der Mindestbestellwert für Firmenkunden?', []],
    ['What was Das Kapital about?', ['Kapital']],
    ['Can I carry a 10kg bag on the A380?', ['10', 'A380']],
    ['¿Cuándo llegó a Sevilla el rey?', ['Sevilla']],
    ['WHAT DOES A SEASON CARD OF 2019 COST?', ['2019']],
    ['WIE LANGE GILT DIE KARTE?', []],
    ['WO LIEGT DIE STRAßE ZUM TURM?', []],
    ['HOW MANY kg DOES THE LIFT CARRY?', []],
    ['RMA 号码的有效期是 X 天', ['X']],
  ])('tells names in %j, in German by more than a capital, and where all is capitals by none', (text, names) => {
    expect(contentWords(text).flatMap(({ text: word, name }) => (name ? [word] : []))).toEqual(names);
  });

  it.each([
    ['a 10kg bag', 'a 10 kg bag'],
    ['it runs on 230V', 'it runs on 230 V'],
    ['open from 9am to 17h', 'open from 9 am to 17 h'],
    ['1,500MB of memory', '1500 MB of memory'],
  ])('reads %j as %j: a unit is a word, with a blank before it or not', (one, other) => {
    expect([...contentStems(one)]).toEqual([...contentStems(other)]);
  });

  it.each(['19th', '3D', '802.11ac', '2x', '90s', '10kgf'])('keeps %s one word', (word) => {
    expect(analyzedWords(word).map(({ text }) => text)).toEqual([word]);
  });

  it('compares numbers by their digits', () => {
    expect([...contentStems('40,000 passengers')]).toEqual([...contentStems('40000 passengers')]);
    expect(analyzedWords('version 3.5.1, then 2.').map(({ text }) => text)).toEqual(['version', '3.5.1', 'then', '2']);
    expect(contentStems('1.5')).not.toEqual(contentStems('15'));
  });

  it.each([
    ['When did Ada Lovelace die?', ['Ada', 'Lovelace', 'die']],
    ['Who is her son?', ['son']],
    ['Where did the son of El Cid live?', ['son', 'Cid', 'live']],
    ['Wann kommt die Lieferung an?', ['kommt', 'Lieferung']],
    ['¿Cuáles son las capitales?', ['Cuáles', 'capitales']],
  ])('keeps in %j what is a word of grammar in another language only', (text, words) => {
    expect(contentWords(text).map(({ text: word }) => word)).toEqual(words);
    expect(contentStems(text)).toEqual(new Set(words.map((word) => stemOf(word))));
  });

  it.each([
    ['nine months', '9 months'],
    ['twelve tables', '12 tables'],
    ['neun Monate', '9 Monate'],
    ['1.000 Besucher', '1000 Besucher'],
    ['1.000.000 visitors', '1,000,000 visitors'],
  ])('reads %j as %j', (one, other) => {
    expect([...contentStems(one)]).toEqual([...contentStems(other)]);
  });

  it.each([
    ['What does the Cafe Senorio serve?', 'What does the Café Señorío serve?'],
    ['Wo schliessen die Parkplatze?', 'Wo schließen die Parkplätze?'],
    ['HINTER DER STRASSE', 'hinter der Straße'],
    ['Cuando llego, donde y quien?', '¿Cuándo llegó, dónde y quién?'],
  ])('reads %j, without its marks, as %j', (without, marked) => {
    expect([...contentStems(without)]).toEqual([...contentStems(marked)]);
  });

  it('keeps marks that are letters of their own', () => {
    for (const [one, other] of ['かき がき', 'हल हाल', '가 각'].map((pair) => pair.split(' ') as [string, string]))
      expect(stemOf(one)).not.toBe(stemOf(other));
  });

  it.each(['con\u00addenser', 'conden\u200bser', '\u202econdenser\u202c', 'con\u2060denser\ufeff'])(
    'reads a word through what nobody sees in it: %j',
    (written) => {
      expect([...contentStems(`The ${written} is old`)]).toEqual([...contentStems('The condenser is old')]);
    },
  );

  it('parts words at joiners, as the lexical index does', () => {
    expect(analyzedWords('می\u200cخواهم').map(({ text }) => text)).toEqual(['می', 'خواهم']);
  });

  it('parts words where the script has no blanks', () => {
    expect(analyzedWords('屋顶通风口在什么风速下关闭').length).toBeGreaterThan(3);
    expect(contentStems('通风口在风速十四米时关闭').has('风速')).toBe(true);
    expect(analyzedWords('屋根の通気口は閉じます').length).toBeGreaterThan(3);
  });

  it('leaves out words of grammar and of asking', () => {
    expect(contentWords('How many of the people don’t work at Tarnwick?').map(({ text }) => text)).toEqual([
      'people',
      'work',
      'Tarnwick',
    ]);
  });

  it('takes the apostrophe of a word in a script without blanks for no word', () => {
    expect(analyzedWords("龟'À, 电池's").map(({ text }) => text)).toEqual(['龟', 'À', '电池', 's']);
  });

  it('takes any text, and finds the same words again in what it found', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const words = analyzedWords(text);
        const again = analyzedWords(words.map((word) => word.text).join(' '));
        expect(again.map(({ stem }) => stem)).toEqual(words.map(({ stem }) => stem));
      }),
    );
  });

  it('has one idea of what a word is, whether it stands alone or was seen before', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.lorem({ maxCount: 20 }));
    fc.assert(
      fc.property(text, (any) => {
        for (const _ of [1, 2])
          expect([...contentStems(any)]).toEqual([...new Set(contentWords(any).map(({ stem }) => stem))]);
      }),
    );
  });
});
