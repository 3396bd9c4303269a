/**
 * How soon a shift of topic is noticed, and how often one is seen where there is none: questions of BANKING77 as the default embedder places them.
 * Against rows that an adapter was trained on, and against questions before, streams are replayed that stay as they are and streams whose topic shifts
 * after some hundred questions. BANKING77 had a part in choosing how questions are scored (src/operate/monitoring/drift/unlike.ts).
 *
 *   npm run bench -- drift [--replays 60]
 */
import { seededRandom, shuffled } from '../src/kernel/random.js';
import { driftReplay } from '../src/operate/monitoring/index.js';
import { startAnswering } from './support/answering.js';
import { banking77 } from './support/banking77.js';
import { numberOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';
import { readCorpora } from './support/retrieval-corpora.js';

const REPLAYS = numberOption('replays', 60);

type Answering = Awaited<ReturnType<typeof startAnswering>>;

interface Placed {
  vector: Float32Array;
  label: string;
}

/** Questions in random order with their vectors. */
async function embedded(
  { worker, registry, workspaceId }: Answering,
  texts: readonly { text: string; label: string }[],
): Promise<Placed[]> {
  const placed: Placed[] = [];
  for (let from = 0; from < texts.length; from += 64) {
    const part = texts.slice(from, from + 64);
    const { vectors } = await worker.embed(
      { workspaceId, embedder: registry.embedder(), texts: part.map(({ text }) => text) },
      { priority: 'bulk' },
    );
    part.forEach(({ label }, i) => placed.push({ label, vector: vectors[i]! }));
  }
  return placed;
}

/** Questions before a shift. */
const BEFORE = 300;
const QUIET_LENGTH = 1_500;
const AFTER = 600;
const POOL = 7_000;
/** What questions are held against: how many, and whether they have labels. */
const KNOWN = [
  ['training rows', 1_500, true],
  ['what came before', 768, false],
] as const;

async function measureDrift(answering: Answering) {
  const random = seededRandom(20);
  const banking = [...banking77('train'), ...banking77('test')].map(({ prompt, label }) => ({
    text: prompt.replace(/^Customer: /, '').replace(/\nIntent:$/, ''),
    label,
  }));
  const pool = await embedded(answering, shuffled(banking, random).slice(0, POOL));
  const [xquad] = readCorpora(1_000).filter(({ name }) => name === 'XQuAD-en');
  const foreign = await embedded(
    answering,
    (xquad?.questions ?? []).map(({ text }) => ({ text, label: 'XQuAD' })),
  );
  const labels = [...new Set(pool.map(({ label }) => label))];
  const rows = [];
  for (const [against, size, labelled] of KNOWN) {
    const known = (questions: readonly Placed[]) =>
      questions.slice(0, size).map(({ vector, label }) => ({ vector, label: labelled ? label : null }));
    const replay = (questions: readonly Placed[], stream: readonly Placed[]) =>
      driftReplay(
        known(questions),
        stream.map(({ vector }) => vector),
      );
    let alarms = 0;
    const delays: Record<string, (number | null)[]> = {
      'unseen intents, all questions': [],
      'unseen intents, 30 % of questions': [],
      'another subject, 30 % of questions': [],
    };
    for (let count = 0; count < REPLAYS; count++) {
      const order = shuffled(pool, random);
      if ((await replay(order, order.slice(size, size + QUIET_LENGTH))) !== null) alarms += 1;
      const unseen = new Set(shuffled(labels, random).slice(0, 25));
      const usual = order.filter(({ label }) => !unseen.has(label));
      const strange = order.filter(({ label }) => unseen.has(label));
      const shift = async (part: number, others: readonly Placed[]): Promise<number | null> => {
        const rest = usual.slice(size + BEFORE);
        const stream = [...usual.slice(size, size + BEFORE), ...mixed(rest, shuffled(others, random), part, random)];
        const at = await replay(usual, stream);
        if (at === null) return null;
        return at <= BEFORE ? Number.NaN : at - BEFORE;
      };
      delays['unseen intents, all questions']!.push(await shift(1, strange));
      delays['unseen intents, 30 % of questions']!.push(await shift(0.3, strange));
      if (foreign.length > 0) delays['another subject, 30 % of questions']!.push(await shift(0.3, foreign));
    }
    for (const [shift, found] of Object.entries(delays)) {
      const late = found.filter((delay) => !Number.isNaN(delay)).map((delay) => delay ?? Infinity);
      rows.push({
        against,
        shift,
        'questions until the alert, median': median(late),
        'within 200': `${Math.round((100 * late.filter((delay) => delay <= 200).length) / late.length)} %`,
        'quiet replays with an alert': `${alarms} of ${REPLAYS}`,
      });
    }
  }
  return rows;
}

/** So many of one, the rest of the other, by chance. */
function mixed(known: readonly Placed[], others: readonly Placed[], part: number, random: () => number): Placed[] {
  let [i, j] = [0, 0];
  const next = () => (random() < part ? others[j++ % others.length]! : known[i++ % known.length]!);
  return Array.from({ length: AFTER }, next);
}

const answering = await startAnswering();
try {
  const rows = await measureDrift(answering);
  printResult('drift', { machine: describeMachine(), rows, 'questions of a quiet replay': QUIET_LENGTH }, [
    'against',
    'shift',
  ]);
} finally {
  await answering.stop();
}
