/**
 * Whom plain `ask` asks, through the public API of a gateway with a home of its own: an adapter for 20 labels of BANKING77 and two collections, and no call
 * but the promotion. Held-out messages of the labels in six spellings; what must get no label: the other 57 labels, everyday requests to other
 * companies, requests to a general assistant and questions about documents. Nothing was chosen on these sets. Beside it, on the same questions, who they are
 * by the nearest known row, a TF-IDF regression, and always the commonest, given labelled questions of every destination.
 *
 *   npm run bench -- router [--rows 200] [--seed 1] [--adapters 1]
 *
 * The adapters' weights are those of a tiny random model: routing doesn't depend on them.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GraftClient } from '../src/client/graft-client.js';
import { calibrationError, measure } from '../src/prove/index.js';
import { seededRandom, shuffled } from '../src/kernel/random.js';
import { dot } from '../src/kernel/vectors.js';
import { realEmbedder, startWorker, workspaceId } from '../test/support/worker.js';
import { banking77 } from './support/banking77.js';
import { EVERYDAY } from './support/everyday.js';
import { numberOption } from './support/options.js';
import { OUT_OF_SCOPE } from './support/out-of-scope.js';
import { Peers } from './support/peers.js';
import { describeMachine, median, printResult } from './support/report.js';
import { readSquad } from './support/squad.js';
import { ingest, promoteTiny, reached, withGateway } from './support/tiny-adapter.js';

const LABELS = 20;
const ROWS_A_LABEL = 40;
const ARTICLES = 6;
const [MESSAGES, SEED, ADAPTERS] = [numberOption('rows', 200), numberOption('seed', 1), numberOption('adapters', 1)];
const DOCUMENTS = numberOption('documents', 0);

const bare = (text: string): string => text.replace(/[\s?!.]+$/u, '');
const SPELLINGS: Readonly<Record<string, (text: string) => string>> = {
  'as is': (text) => text,
  'lower case': (text) => bare(text).toLowerCase(),
  capitals: (text) => text.toUpperCase(),
  'question mark': (text) => `${bare(text)}?`,
  'full stop': (text) => `${bare(text)}.`,
  greeting: (text) => `Good morning, ${text} Thank you.`,
};

interface Row {
  text: string;
  label: string;
}
interface Placed {
  text: string;
  /** `NOBODY`, `RAG`, or the name of an adapter. */
  route: string;
}

const rowsOf = (split: 'train' | 'test'): Row[] =>
  banking77(split).map(({ prompt, label }) => ({
    text: prompt.replace(/^Customer: /, '').replace(/\nIntent:$/, ''),
    label,
  }));
const random = seededRandom(SEED);
const [train, test] = [shuffled(rowsOf('train'), random), shuffled(rowsOf('test'), random)];
const labels = shuffled([...new Set(train.map(({ label }) => label))].sort(), random);
/** Each adapter has a part of the labels of its own: one of 20, or five of fewer. */
const adapters = Array.from({ length: ADAPTERS }, (_, i) => {
  const size = ADAPTERS === 1 ? LABELS : Math.floor(60 / ADAPTERS);
  return { name: `routing${i === 0 ? '' : i}`, labels: new Set(labels.slice(i * size, (i + 1) * size)) };
});
const routeOf = (label: string): string => adapters.find((each) => each.labels.has(label))?.name ?? 'NOBODY';

/** The adapter's own rows of those that are learned from. */
function rowsFor({ labels: own }: (typeof adapters)[number]): Row[] {
  const counts = new Map<string, number>();
  return train.filter(({ label }) => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    return own.has(label) && counts.get(label)! <= ROWS_A_LABEL;
  });
}

interface Decision {
  /** The first that is asked; `NOBODY` where it is refused or the question looks foreign to all. */
  route: string;
  probability: number;
  /** Whether an adapter is or would be asked: it gives a label. */
  labelled: boolean;
  ms: number;
}

const ROUTE = `subscription ($question: String!) { askStream(input: { question: $question }) { ... on RouteChosen { route {
  strategy candidates { strategy adapter probability pValue order } } } } }`;
interface RouteEvent {
  askStream: {
    route?: {
      strategy: string;
      candidates: {
        strategy: string;
        adapter: string | null;
        probability: number | null;
        pValue: number | null;
        order: number | null;
      }[];
    };
  };
}

/** The first event of an answer tells the route; nothing more of it is wanted. */
async function decide(client: GraftClient, question: string): Promise<Decision> {
  const began = performance.now();
  for await (const { askStream } of client.subscribe<RouteEvent, { question: string }>(ROUTE, { question })) {
    if (!askStream.route) continue;
    const { candidates } = askStream.route;
    const first = candidates.find(({ order }) => order === 1);
    const nobody = candidates.find(({ strategy }) => strategy === 'BASE');
    const isLess = first?.adapter === null && (first.probability ?? 1) < (nobody?.probability ?? 0);
    const isForeign = !first || isLess || (first.pValue !== null && first.pValue < 0.05);
    const owner = isForeign ? nobody : first;
    return {
      route: isForeign ? 'NOBODY' : (first.adapter?.replace(/@\d+$/, '') ?? 'RAG'),
      probability: owner?.probability ?? 0,
      labelled: candidates.some(({ adapter, pValue }) => adapter !== null && (pValue ?? 0) >= 0.05),
      ms: performance.now() - began,
    };
  }
  throw new Error('the stream told no route');
}

async function decideAll(client: GraftClient, texts: readonly string[]): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for (const text of texts) decisions.push(await decide(client, text));
  return decisions;
}

/** Where the nearest known question belongs, by the embedder that the gateway uses. */
async function byNearest(known: readonly Placed[], asked: readonly Placed[]): Promise<string[]> {
  const worker = await startWorker();
  try {
    const embedder = await realEmbedder();
    const embed = async (placed: readonly Placed[]): Promise<Float32Array[]> => {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < placed.length; at += 32) {
        const texts = placed.slice(at, at + 32).map(({ text }) => text);
        vectors.push(...(await worker.client.embed({ workspaceId, embedder, texts })).vectors);
      }
      return vectors;
    };
    const [around, vectors] = [await embed(known), await embed(asked)];
    return vectors.map((vector) => {
      const similarities = around.map((other) => dot(vector, other));
      return known[similarities.indexOf(Math.max(...similarities))]!.route;
    });
  } finally {
    await worker.dispose();
  }
}

async function byTfIdf(known: readonly Placed[], asked: readonly Placed[]): Promise<string[] | null> {
  const peers = await Peers.start();
  try {
    return await peers.routes(
      known,
      asked.map(({ text }) => text),
    );
  } finally {
    await peers.stop();
  }
}

async function bench(client: GraftClient): Promise<void> {
  const articles = readSquad('covidqa-part')?.slice(0, DOCUMENTS || ARTICLES);
  if (!articles) throw new Error('SKIPPED: covidqa-part.json is not in ../shared/datasets');
  const papers = articles.map(({ title, paragraphs }) => ({
    name: title,
    text: paragraphs.map(({ text }) => text).join('\n\n'),
  }));
  const handbook = readdirSync('examples/handbook')
    .filter((name) => /\.(md|txt)$/.test(name))
    .map((name) => ({ name, text: readFileSync(join('examples/handbook', name), 'utf8') }));
  await ingest(client, 'papers', DOCUMENTS > 0 ? papers.slice(0, DOCUMENTS) : papers);
  if (DOCUMENTS === 0) await ingest(client, 'handbook', handbook);
  for (const adapter of adapters) console.log(await promoteTiny(client, adapter.name, rowsFor(adapter)));
  const promoted = performance.now();
  const router = await reached(
    client,
    adapters.map(({ name }) => name),
  );
  console.log(
    `Plain questions reach the adapters ${((performance.now() - promoted) / 1_000).toFixed(1)} s after promotion.`,
  );

  const own = test.filter(({ label }) => routeOf(label) !== 'NOBODY').slice(0, MESSAGES);
  const others = test.filter(({ label }) => routeOf(label) === 'NOBODY').slice(0, MESSAGES);
  const rows: Record<string, string | number>[] = [];
  const share = (hits: readonly boolean[]): string =>
    `${((100 * hits.filter(Boolean).length) / Math.max(1, hits.length)).toFixed(1)} %`;
  const add = (
    what: string,
    right: readonly boolean[],
    decisions: readonly Decision[] | null,
    ece: number | null = null,
  ) =>
    rows.push({
      adapters: ADAPTERS,
      documents: DOCUMENTS > 0 ? DOCUMENTS : papers.length + handbook.length,
      what,
      questions: right.length,
      'right place': share(right),
      'may get a label': decisions === null ? '' : share(decisions.map(({ labelled }) => labelled)),
      ECE: ece === null ? '' : Number(ece.toFixed(3)),
      'median ms': decisions === null ? '' : Math.round(median(decisions.map(({ ms }) => ms))),
    });
  for (const [name, spelling] of Object.entries(SPELLINGS)) {
    const decisions = await decideAll(
      client,
      own.map(({ text }) => spelling(text)),
    );
    const right = decisions.map(({ route }, i) => route === routeOf(own[i]!.label));
    add(`own messages, ${name}`, right, decisions);
  }
  const foreign = {
    'other labels of the bank': others.map(({ text }) => text),
    'requests to other companies': EVERYDAY,
    'requests to an assistant': OUT_OF_SCOPE,
  };
  for (const [what, texts] of Object.entries(foreign)) {
    const decisions = await decideAll(client, texts);
    add(
      what,
      decisions.map(({ route }) => route === 'NOBODY'),
      decisions,
    );
  }
  const questions = articles.flatMap(({ paragraphs }) =>
    paragraphs.flatMap((each) => each.questions.map(({ text }) => text)),
  );
  const asked: Placed[] = [
    ...own.map(({ text, label }) => ({ text, route: routeOf(label) })),
    ...questions.slice(0, MESSAGES / 2).map((text) => ({ text, route: 'RAG' })),
    ...[...EVERYDAY, ...OUT_OF_SCOPE].map((text) => ({ text, route: 'NOBODY' })),
  ];
  const prompts = readFileSync('examples/general-text/small-talk.txt', 'utf8').split('\n').filter(Boolean);
  const known: Placed[] = [
    ...train
      .slice(0, 2_000)
      .flatMap(({ text, label }) => (routeOf(label) === 'NOBODY' ? [] : [{ text, route: routeOf(label) }])),
    ...questions.slice(MESSAGES / 2).map((text) => ({ text, route: 'RAG' })),
    ...prompts.map((text) => ({ text, route: 'NOBODY' })),
  ];
  const decisions = await decideAll(
    client,
    asked.map(({ text }) => text),
  );
  const routes = decisions.map(({ route }) => route);
  const isRight = (said: readonly string[]): boolean[] => asked.map(({ route }, i) => said[i] === route);
  const byRoute = new Map<string, number>();
  for (const { route } of asked) byRoute.set(route, (byRoute.get(route) ?? 0) + 1);
  const commonest = [...byRoute].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
  const tfidf = await byTfIdf(known, asked);
  const peers = {
    'nearest row': await byNearest(known, asked),
    ...(tfidf && { 'TF-IDF regression': tfidf }),
    'always the commonest': asked.map(() => commonest),
  };
  const ece = measure(
    calibrationError,
    asked.map(({ route }, i) => ({ gold: route, predicted: routes[i]!, probability: decisions[i]!.probability })),
  );
  add('all three kinds', isRight(routes), decisions, ece);
  for (const [what, said] of Object.entries(peers)) add(`all three kinds, ${what}`, isRight(said), null);
  printResult('router', { machine: describeMachine(), rows, fitted: router?.figures ?? null }, [
    'adapters',
    'documents',
    'what',
  ]);
}

await withGateway(bench);
