import { foreignFiguresOf } from '../../../src/prove/membership/foreign-figures.js';
import { GENERAL_SET } from '../../../src/prove/membership/general-texts.js';

const pValues = (accepted: number, refused: number): number[] => [
  ...Array<number>(accepted).fill(0.5),
  ...Array<number>(refused).fill(0.01),
];

describe('what is told of an adapter and foreign messages', () => {
  it('is bound by what is nobody’s: documents and other adapters may be about the same subjects', () => {
    const figures = foreignFiguresOf(
      pValues(95, 5),
      [
        { name: GENERAL_SET, pValues: pValues(10, 90) },
        { name: 'questions of documents', pValues: pValues(13, 0) },
      ],
      0.05,
    );
    expect(figures).toMatchObject({
      foreignAccepted: { value: 0.1 },
      ownRefused: { value: 0.05 },
      texts: 113,
      sets: [
        { texts: 100, accepted: 10 },
        { texts: 13, accepted: 13 },
      ],
    });
  });
});
