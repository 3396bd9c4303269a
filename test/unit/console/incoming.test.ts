import { checkedDocuments } from '../../../src/sources/knowledge/ingestion.js';
import { afterRun, documentName, refusalOf } from '../../../src/console/pages/knowledge/incoming.js';

describe('files that are dropped into a collection', () => {
  it.each(['note.md', ' note.md ', 'cafe\u0301.md', 'caf\u00e9.md'])(
    'go by the name that the gateway tells of them: %j',
    (name) => {
      const [document] = checkedDocuments([{ name, text: 'text' }]);
      expect(documentName(name)).toBe(document!.name);
    },
  );

  it('are refused before one is sent where two would be one document, or there are too many', () => {
    const names = ['cafe\u0301.md', 'caf\u00e9.md'];
    expect(refusalOf(names.map(documentName))).toMatch(/^Two of the files are called caf\u00e9\.md: /);
    expect(refusalOf(['a.md', 'b.md'])).toBeNull();
    const many = Array.from({ length: 101 }, (_, index) => `${index}.md`);
    expect([refusalOf(many.slice(1)), refusalOf(many)]).toEqual([null, expect.stringContaining('at most 100')]);
  });

  it('are done when their run has ended, also those of which it told nothing', () => {
    const indexed = { label: 'indexed', colour: 'green', note: '' };
    const files = [
      { name: 'seen.md', sent: 1, outcome: indexed },
      { name: 'labelled.md', sent: 1, outcome: null },
    ];
    expect(afterRun(files, 'SUCCEEDED').map(({ name, outcome }) => [name, outcome?.label, outcome?.note])).toEqual([
      ['seen.md', 'indexed', ''],
      ['labelled.md', 'done', 'Not shown to you.'],
    ]);
    expect(afterRun(files, 'FAILED').map(({ outcome }) => outcome?.label)).toEqual(['indexed', 'not told']);
    expect(afterRun(files, 'RUNNING')).toEqual(files);
  });
});
