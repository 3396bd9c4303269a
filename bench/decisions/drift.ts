import { driftReplay } from '../../src/operate/monitoring/index.js';
import { intents, many, type PlacedQuestion } from '../../test/support/intents.js';
import type { Topic } from './line.js';
import { questions, TRAFFIC, type Traffic } from './traffic.js';

const KNOWN = 500;
const QUIET_LENGTH = 1_500;
const [BEFORE, WITHIN] = [300, 200];
/** Where nine in ten are promised: a stream takes a tenth of a second. */
const MOST_STREAMS = 300;
const HOUR_MS = 3_600_000;

/** Questions that count: of a conversation one an hour, where all of an hour are of one intent. */
function counted(
  traffic: Traffic,
  seed: number,
  count: number,
  next: (number: number) => PlacedQuestion,
): PlacedQuestion[] {
  const bank = intents(seed);
  const spoken = new Map<string, PlacedQuestion>();
  const asked: PlacedQuestion[] = [];
  for (const { conversation, at } of questions(traffic, { seed })) {
    if (asked.length >= count) break;
    const hour = `${conversation} ${Math.floor(at / HOUR_MS)}`;
    const before = spoken.get(conversation);
    const question = before ? bank.again(before) : next(asked.length);
    spoken.set(conversation, question);
    if (spoken.has(hour)) continue;
    spoken.set(hour, question);
    asked.push(question);
  }
  return asked;
}

async function alarmAt(
  traffic: Traffic,
  seed: number,
  { labelled, part, length }: { labelled: boolean; part: number; length: number },
): Promise<number | null> {
  const bank = intents(seed);
  const known = many(KNOWN, bank.usual).map(({ vector, label }) => ({ vector, label: labelled ? label : null }));
  const asked = counted(traffic, seed, length, (number) =>
    number >= BEFORE && bank.random() < part ? bank.unseen() : bank.usual(),
  );
  return driftReplay(
    known,
    asked.map(({ vector }) => vector),
  );
}

async function shareOfStreams(streams: number, holds: (seed: number) => Promise<boolean>): Promise<number> {
  let count = 0;
  for (let seed = 0; seed < streams; seed++) count += Number(await holds(seed));
  return count / streams;
}

export const drift: Topic = {
  name: 'drift',
  async *lines(most) {
    for (const traffic of TRAFFIC)
      for (const labelled of [true, false]) {
        const line = { traffic, judged: null };
        const against = labelled ? 'labelled rows' : 'rows without labels';
        yield {
          ...line,
          streams: most,
          promise: `questions as they were raise an alarm within 1,500, against ${against}`,
          promised: { atMost: 0.01 },
          measured: await shareOfStreams(
            most,
            async (seed) => (await alarmAt(traffic, seed, { labelled, part: 0, length: QUIET_LENGTH })) !== null,
          ),
        };
        const streams = Math.min(most, MOST_STREAMS);
        yield {
          ...line,
          streams,
          promise: `30 % of new intents raise one within 200, against ${against}`,
          promised: { atLeast: labelled ? 0.9 : 0.75 },
          measured: await shareOfStreams(streams, async (seed) => {
            const at = await alarmAt(traffic, seed, { labelled, part: 0.3, length: BEFORE + WITHIN });
            return at !== null && at > BEFORE;
          }),
        };
      }
  },
};
