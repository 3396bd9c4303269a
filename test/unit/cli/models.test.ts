import { recommendationLines } from '../../../src/cli/models.js';

type Recommendations = Parameters<typeof recommendationLines>[0];
type Model = Recommendations['models'][number];

const model = (name: string, parameters: number, fit: Model['fit'], seconds: number, reader = false): Model => ({
  model: { name, licence: 'MIT', parameters, bytes: 1e9, memoryBytes: 1e9, contextLength: 8192 },
  here: true,
  fit,
  seconds,
  readTokensPerSecond: 1,
  writeTokensPerSecond: 1,
  measuredOn: name,
  reader,
});
const lastLine = (...models: Model[]) =>
  recommendationLines({
    models,
    answerSeconds: 10,
    readTokens: 1,
    writtenTokens: 1,
    memoryBytes: 8e9,
    quiet: true,
  }).at(-1)!;

describe('what `graft models recommend` says last', () => {
  const half = model('half', 5e8, 'QUOTES_ONLY', 3);

  it('doesn’t call a model the largest in time while a larger one that only quotes is', () => {
    const line = lastLine(model('reading', 1.3e8, 'RECOMMENDED', 2, true), half);
    expect(line).toBe(
      'The largest within 10 s that has a reader or a billion weights: GRAFT_MODEL=reading, or GRAFT_MODEL=auto.',
    );
  });

  it('doesn’t say that none answers in time, or that this is the fastest, while one that only quotes is faster', () => {
    const line = lastLine(half, model('large', 7e9, 'RECOMMENDED', 20));
    expect(line).toBe(
      'None that has a reader or a billion weights answers within 10 s; the fastest of them: GRAFT_MODEL=large, or GRAFT_MODEL=auto.',
    );
  });

  it('says so where none with a reader or a billion weights fits memory', () => {
    const large = model('large', 7e9, 'TOO_LARGE', 5);
    expect(lastLine({ ...half, fit: 'RECOMMENDED' }, large)).toBe(
      'Memory can’t hold one that has a reader or a billion weights. The largest within 10 s of the others: GRAFT_MODEL=half, or GRAFT_MODEL=auto.',
    );
    expect(lastLine({ ...half, fit: 'RECOMMENDED', seconds: 11 }, large)).toBe(
      'Memory can’t hold one that has a reader or a billion weights. The fastest of the others, which takes longer than 10 s: GRAFT_MODEL=half, or GRAFT_MODEL=auto.',
    );
    expect(lastLine(large)).toBe('Memory can’t hold any of them beside the rest.');
  });
});
