import { readGeneralText, windowsOf } from '../../../src/prove/retention/general-text.js';
import { coarseDivergence, retentionFigures, type WindowScore } from '../../../src/prove/retention/retention.js';

const windows = (difference: (i: number) => number): WindowScore[] =>
  Array.from({ length: 30 }, (_, i) => {
    const base = 100 * (2 + (i % 5) / 10);
    return { text: i % 2 ? 'odd' : 'even', tokens: 100, base, adapted: base + 100 * difference(i) };
  });

describe('retention', () => {
  it('is the ratio of perplexities, and what makes a window hard for both cancels out', () => {
    const { perplexity, texts } = retentionFigures(
      windows(() => Math.log(1.05)),
      [],
      [],
    );
    expect(perplexity.ratio.value).toBeCloseTo(1.05, 12);
    expect(perplexity.ratio.low).toBeCloseTo(1.05, 12);
    expect(perplexity.ratio.high).toBeCloseTo(1.05, 12);
    expect(perplexity.adapted / perplexity.base).toBeCloseTo(1.05, 12);
    expect(texts.map(({ name, tokens }) => [name, tokens])).toEqual([
      ['even', 1_500],
      ['odd', 1_500],
    ]);
  });

  it('has a wider interval the more the windows differ', () => {
    const width = (spread: number): number => {
      const { ratio } = retentionFigures(
        windows((i) => spread * Math.sin(i)),
        [],
        [],
      ).perplexity;
      return ratio.high - ratio.low;
    };
    expect(width(0.2)).toBeGreaterThan(3 * width(0.02));
  });

  it('counts flips of other tasks both ways', () => {
    const rows = [
      ...Array.from({ length: 6 }, () => ({ base: 1, adapted: 0 })),
      ...Array.from({ length: 2 }, () => ({ base: 0, adapted: 1 })),
      ...Array.from({ length: 12 }, () => ({ base: 1, adapted: 1 })),
    ];
    const [other] = retentionFigures(
      windows(() => 0),
      [],
      [{ datasetVersionId: 'd', rows }],
    ).others;
    expect(other).toMatchObject({ rows: 20, rightToWrong: 6, wrongToRight: 2 });
    expect(other!.difference.value).toBeCloseTo(-0.2, 12);
  });

  it('bounds the divergence of whole distributions from below, and is exact where they differ in the known tokens only', () => {
    const full = (p: number[], q: number[]): number =>
      p.reduce((sum, each, i) => sum + each * Math.log(each / q[i]!), 0);
    const [p, q] = [
      [0.5, 0.3, 0.1, 0.1],
      [0.2, 0.6, 0.1, 0.1],
    ];
    const logs = (all: number[]): number[] => all.slice(0, 2).map(Math.log);
    expect(coarseDivergence(logs(p), logs(q))).toBeCloseTo(full(p, q), 12);
    expect(coarseDivergence(logs(p), logs(p))).toBe(0);
    const r = [0.2, 0.6, 0.19, 0.01];
    expect(coarseDivergence(logs(p), logs(r))).toBeLessThan(full(p, r));
  });

  it('cuts the general text into windows of whole paragraphs that hold all of it', async () => {
    const { texts, prompts } = await readGeneralText();
    expect(texts).toHaveLength(3);
    for (const { windows: cut } of texts) {
      expect(cut.length).toBeGreaterThanOrEqual(8);
      expect(cut.slice(0, -1).every(({ length }) => length >= 600)).toBe(true);
    }
    expect(new Set(prompts).size).toBe(32);
    expect(windowsOf('a\n\nb\n \nc')).toEqual(['a\n\nb\n\nc']);
  });

  it('shares no sentence with the text that training replays', async () => {
    const { readFile } = await import('node:fs/promises');
    const sentences = (text: string): string[] =>
      text
        .split(/(?<=[.!?])\s+/u)
        .map((each) => each.trim())
        .filter(({ length }) => length > 30);
    const replayed = new Set(sentences(await readFile('examples/general-text/replay.txt', 'utf8')));
    const { texts, prompts } = await readGeneralText();
    const ours = [...texts.flatMap(({ windows: cut }) => sentences(cut.join('\n\n'))), ...prompts];
    expect(ours.filter((each) => replayed.has(each))).toEqual([]);
  });
});
