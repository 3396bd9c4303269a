import { questionsOf } from '../../../src/console/pages/what-if/lines.js';

describe('a pasted list of questions', () => {
  it('has a question a line, and behind a tab where it should go', () => {
    expect(questionsOf(' Where is my parcel?\trouting \r\n\n\tNOBODY\nWhen do you open?\t\nWho won?')).toEqual([
      { text: 'Where is my parcel?', expected: 'routing' },
      { text: 'When do you open?', expected: null },
      { text: 'Who won?', expected: null },
    ]);
  });
});
