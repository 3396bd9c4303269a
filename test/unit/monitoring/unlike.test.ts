import { driftReplay } from '../../../src/operate/monitoring/drift/replay.js';
import { intents, many } from '../../support/intents.js';

const KNOWN = 500;
const QUIET_LENGTH = 1_500;

/** First alarm of a stream whose questions are partly of new intents after 300. */
async function alarm(
  bank: ReturnType<typeof intents>,
  labelled: boolean,
  part: number,
  length: number,
): Promise<number | null> {
  const known = many(KNOWN, bank.usual).map(({ vector, label }) => ({ vector, label: labelled ? label : null }));
  const asked = [
    ...many(300, bank.usual),
    ...many(length - 300, () => (bank.random() < part ? bank.unseen() : bank.usual())),
  ];
  return driftReplay(
    known,
    asked.map(({ vector }) => vector),
  );
}

describe('questions that are held against known ones', () => {
  const STREAMS = 30;

  it.each([
    ['labelled rows', true],
    ['rows without labels', false],
  ])(
    'raise hardly an alarm against %s while nothing changes',
    async (_, labelled) => {
      let alarms = 0;
      for (let stream = 0; stream < STREAMS; stream++)
        if ((await alarm(intents(stream), labelled, 0, QUIET_LENGTH)) !== null) alarms += 1;
      // 1 % are promised: 4 of 30 would be by chance in fewer than one of a thousand.
      expect(alarms).toBeLessThan(4);
    },
    240_000,
  );

  it('raise one within 200 where a third of them is of new intents', async () => {
    let noticed = 0;
    for (let stream = 0; stream < STREAMS; stream++) {
      const at = await alarm(intents(100 + stream), true, 0.3, 500);
      if (at !== null && at > 300) noticed += 1;
    }
    expect(noticed).toBeGreaterThanOrEqual(0.9 * STREAMS);
  }, 240_000);
});
