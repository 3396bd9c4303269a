import type { LlamaModel } from 'node-llama-cpp';
import { tokenizePrompt } from '../../gpu-worker/engines/inference/prompt.js';

/** A model whose tokens are its characters' codes, special ones below 0, and which counts what it is asked. */
function countingModel() {
  const asked: string[] = [];
  const model = {
    tokens: { bos: 1, shouldPrependBosToken: true },
    tokenize(text: string, special: boolean) {
      asked.push(text);
      return [...text].map((character) => (special ? -1 : 1) * character.charCodeAt(0));
    },
  };
  return { asked, model: model as unknown as LlamaModel };
}

describe('tokens of a prompt', () => {
  it('are the same when a piece was seen before, and never those of its special twin', () => {
    const { asked, model } = countingModel();
    const twins = [
      { text: 'ab', special: true },
      { text: 'ab', special: false },
    ];
    const expected = [1, -97, -98, 97, 98];
    for (const _ of [1, 2, 3]) expect(tokenizePrompt(model, twins)).toEqual(expected);
    expect(asked).toEqual(['ab', 'ab']);
  });

  it('keep a frame that comes again while strangers’ texts pass, and not all of these', () => {
    const { asked, model } = countingModel();
    for (let n = 0; n < 400; n += 1)
      tokenizePrompt(model, [
        { text: 'frame', special: true },
        { text: `question ${n}`, special: false },
      ]);
    expect(asked.filter((text) => text === 'frame')).toHaveLength(1);
    tokenizePrompt(model, [{ text: 'question 0', special: false }]);
    expect(asked.filter((text) => text === 'question 0')).toHaveLength(2);
  });
});
