import { TwoGateways } from '../support/two-gateways.js';

const MOST_MS = 900_000;

describe('two gateways of one PostgreSQL and one Chroma, with homes of their own, of which each is killed once', () => {
  let both: TwoGateways;
  beforeAll(async () => {
    both = await TwoGateways.start({});
  }, MOST_MS);
  afterAll(() => both?.stop());

  it('wait with a run for the one that has its files, and lose or fail nothing', () => both.surviveEach(true), MOST_MS);
});
