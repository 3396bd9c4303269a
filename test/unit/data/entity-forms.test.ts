import fc from 'fast-check';
import { codePointOffsets, fromBio, locateMentions } from '../../../src/sources/data/datasets/tasks/entity-forms.js';

describe('locateMentions', () => {
  it('takes the first unused place of a mention that stands twice and is listed twice', () => {
    const found = locateMentions('Ada met Ada .', { person: ['Ada', 'Ada'] });
    expect(found.entities.map((e) => e.start)).toEqual([0, 8]);
    expect(found.ambiguous).toEqual([]);
  });

  it('reports a mention as ambiguous when the text has it more often than the list', () => {
    expect(locateMentions('Ada met Ada .', { person: ['Ada'] })).toEqual({
      entities: [{ type: 'person', text: 'Ada', start: 0, end: 3 }],
      ambiguous: ['Ada'],
      missing: [],
    });
  });

  it('reports a mention that is listed under two types', () => {
    expect(
      locateMentions('Washington met Washington', { person: ['Washington'], location: ['Washington'] }).ambiguous,
    ).toEqual(['Washington']);
  });

  it('lets the longer mention choose first', () => {
    const found = locateMentions('The New York Times of New York', {
      location: ['New York'],
      organization: ['New York Times'],
    });
    expect(found.entities).toEqual([
      { type: 'organization', text: 'New York Times', start: 4, end: 18 },
      { type: 'location', text: 'New York', start: 22, end: 30 },
    ]);
    expect(found.ambiguous).toEqual([]);
  });

  it('does not look inside words while the word itself is there', () => {
    expect(locateMentions('Thursday , US', { location: ['US'] }).entities[0]?.start).toBe(11);
    expect(locateMentions('Indian team, India', { location: ['India'] }).entities[0]?.start).toBe(13);
  });

  it('names mentions that are not there', () => {
    expect(locateMentions('nothing here', { person: ['Ada'] }).missing).toEqual(['Ada']);
  });

  it('finds places that match their text and never overlap, whatever is listed', () => {
    const word = fc.constantFrom('a', 'b', 'ab', 'a b', 'ba', '😀');
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.array(word, { maxLength: 6 }),
        fc.array(word, { maxLength: 6 }),
        (words, x, y) => {
          const text = words.join(' ');
          const { entities, missing } = locateMentions(text, { x, y });
          for (const e of entities) expect(text.slice(e.start, e.end)).toBe(e.text);
          entities.slice(1).forEach((e, i) => expect(e.start).toBeGreaterThanOrEqual(entities[i]!.end));
          expect(entities.length + missing.length).toBe(x.length + y.length);
        },
      ),
    );
  });
});

describe('fromBio', () => {
  it('joins tokens and closes entities at a new beginning and at the end', () => {
    expect(fromBio(['Ada', 'Lovelace', 'met', 'Ada'], ['B-PER', 'I-PER', 'O', 'B-PER'])).toEqual({
      text: 'Ada Lovelace met Ada',
      entities: [
        { type: 'PER', start: 0, end: 12, text: 'Ada Lovelace' },
        { type: 'PER', start: 17, end: 20, text: 'Ada' },
      ],
    });
    expect(fromBio(['Ada', 'Bob'], ['B-PER', 'B-PER'])?.entities).toHaveLength(2);
    expect(fromBio(['IBM', 'Ada'], ['I-ORG', 'I-PER'])?.entities.map((e) => e.type)).toEqual(['ORG', 'PER']);
  });

  it('refuses tags that are too few or of no known form', () => {
    expect(fromBio(['a', 'b'], ['O'])).toBeNull();
    expect(fromBio(['a'], ['person'])).toBeNull();
  });
});

describe('codePointOffsets', () => {
  it('agrees with counting code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(30), (text, offset) => {
        const points = Array.from(text);
        const expected = offset <= points.length ? points.slice(0, offset).join('').length : undefined;
        const actual = codePointOffsets(text)(offset);
        if (expected === undefined) expect(actual).toBeGreaterThan(text.length);
        else expect(actual).toBe(expected);
      }),
    );
  });
});
