import { cutConfusions } from '../../../src/prove/metrics/classification.js';

describe('confusions of which the emptiest are left out', () => {
  it('keep how many rows each label was given, and how many of them have it', () => {
    const cells = [
      { gold: 'a', predicted: 'a', count: 9 },
      { gold: 'b', predicted: 'b', count: 3 },
      { gold: 'a', predicted: 'b', count: 2 },
      { gold: 'c', predicted: 'b', count: 1 },
      { gold: 'c', predicted: null, count: 1 },
    ];
    expect(cutConfusions(cells, 1)).toEqual({
      confusions: [cells[0]],
      confusionsRest: [
        { predicted: 'b', count: 6, right: 3 },
        { predicted: null, count: 1, right: 0 },
      ],
    });
    expect(cutConfusions(cells, 5)).toEqual({ confusions: cells, confusionsRest: [] });
  });
});
