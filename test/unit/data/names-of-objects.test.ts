import { checkedValues, FeatureType } from '../../../src/sources/data/features/feature-view.js';
import { valueAt } from '../../../src/sources/data/datasets/files/read-text.js';
import { buildRow } from '../../../src/sources/data/datasets/importing/build-row.js';
import type { FileMapping } from '../../../src/sources/data/datasets/importing/mapping.js';
import { splitOfWord } from '../../../src/sources/data/datasets/importing/splits.js';
import { learnLabel } from '../../../src/operate/monitoring/drift/stream.js';

const mapping = { labelValues: { '0': 'negative' }, offsets: 'UTF16' } as unknown as FileMapping;

describe('a word that every object has something under', () => {
  const word = 'constructor';

  it('is a label like others, and coded ones still get their names', () => {
    const labelOf = (label: string) => buildRow('CLASSIFICATION', { TEXT: 'How was it?', LABEL: label }, mapping);
    expect(labelOf(word)).toMatchObject({ row: { label: word } });
    expect(labelOf('0')).toMatchObject({ row: { label: 'negative' } });
  });

  it('is a type of entities like others', () => {
    const ENTITIES = [{ type: word, text: 'Ada' }];
    expect(buildRow('EXTRACTION', { TEXT: 'Ask Ada.', ENTITIES }, mapping)).toMatchObject({
      row: { entities: [{ type: word, start: 4, end: 7 }] },
    });
  });

  it('is no tag of tokens, which have the form B-x', () => {
    const tagged = { TOKENS: ['Ask', 'Ada'], TAGS: ['O', word] };
    expect(buildRow('EXTRACTION', tagged, mapping)).toMatchObject({ fault: { rule: 'wrong-type' } });
  });

  it('names no split, and no column that a record hasn’t', () => {
    expect(splitOfWord(word)).toBeNull();
    expect(valueAt({}, word)).toBeUndefined();
    expect(valueAt({ nested: {} }, `nested.${word}`)).toBeUndefined();
    expect(valueAt({ nested: { [word]: 1 } }, `nested.${word}`)).toBe(1);
  });

  it('has no value where a feature of this name has none', () => {
    const view = { name: 'people', fields: [{ name: word, type: FeatureType.STRING }] };
    expect(checkedValues(view, {}, 'input')).toEqual({ [word]: null });
  });

  it('is counted as a label whose drift is watched', () => {
    const { counts } = learnLabel({}, word);
    expect(learnLabel(counts, word).counts).toEqual({ [word]: 2 });
  });
});
