import { namedDocuments } from '../../../src/cli/files.js';
import { checkedDocumentName, INGESTION_LIMITS } from '../../../src/knowledge/ingestion.js';

const taken = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

describe('names that files are given', () => {
  it.each([
    ['as long as may be', 'n'.repeat(INGESTION_LIMITS.name)],
    ['too long', 'n'.repeat(INGESTION_LIMITS.name + 1)],
    ['in two lines', 'a\nb.md'],
    ['with a control character', 'a\u0007.md'],
    ['of marks in two pieces', 'cafe\u0301.md'],
    ['with spaces around', ' note.md '],
  ])('are those that the gateway takes: %s', (_what, name) => {
    const path = `folder/${name}`;
    expect(taken(() => namedDocuments([{ path }]))).toBe(taken(() => checkedDocumentName(name, 'name')));
    if (taken(() => checkedDocumentName(name, 'name')))
      expect(namedDocuments([{ path }])[0]!.name).toBe(checkedDocumentName(name, 'name'));
  });
});
