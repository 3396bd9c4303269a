import { standaloneQuestion } from '../../../src/ask/follow-up.js';

const EARLIER = 'How long is the warranty of the Orlo pump?';

describe('a question that stands for itself', () => {
  it.each(['And for the valve?', 'What about spare parts?', 'How much?', 'What does it cost?', 'Why?'])(
    'puts “%s” behind what it follows',
    (question) => {
      expect(standaloneQuestion(question, [EARLIER])).toEqual({ text: `${EARLIER} ${question}`, joined: 1 });
    },
  );

  it.each([
    'How much does shipping to Norway cost?',
    'At what pressure does the Vela valve open?',
    'When was the Orlo pump, as it stands in the hall beside all of the others, last looked at by anyone?',
  ])('leaves “%s” alone', (question) => {
    expect(standaloneQuestion(question, [EARLIER])).toEqual({ text: question, joined: 0 });
  });

  it('reaches back to the question that a row of follow-ups began with, and no further', () => {
    const earlier = ['What colour is the door?', EARLIER, 'And for the valve?'];
    expect(standaloneQuestion('How much?', earlier)).toEqual({
      text: `${EARLIER} And for the valve? How much?`,
      joined: 2,
    });
    expect(standaloneQuestion('And then?', [])).toEqual({ text: 'And then?', joined: 0 });
  });
});
