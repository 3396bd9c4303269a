/**
 * How fast documents become searchable, on embedded PostgreSQL and Chroma and the real worker: short snippets, a long document, and
 * the same document with one changed paragraph. Everything is measured beside the least that any pipeline does: the same embedder,
 * 16 texts a call, and the same Chroma, without parsing, words, rows or progress. Rounds are interleaved and medians compared.
 *
 * The texts are the sentences of `examples/handbook`, numbered so that no two are the same.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../src/kernel/ids.js';
import { splitSentences } from '../src/kernel/sentences.js';
import { realEmbedder, startKnowledge, type Knowledge } from '../test/integration/knowledge/harness.js';
import { startTestServers, stopTestServers } from '../test/support/test-servers.js';
import { describeMachine, median, printResult } from './support/report.js';

const SNIPPETS = 590;
const SECTIONS = 60;
const ROUNDS = 3;
/** Texts a call: what embedding clients take when they are told nothing. */
const PEER_BATCH = 16;
const HANDBOOK = 'examples/handbook';

const sentences = readdirSync(HANDBOOK)
  .filter((name) => name.endsWith('.md'))
  .sort()
  .flatMap((name) => splitSentences(readFileSync(join(HANDBOOK, name), 'utf8')))
  .map(({ text }) => text)
  .filter((text) => /^\p{Lu}.{40,240}\.$/u.test(text));

const sentence = (n: number): string => `${sentences[n % sentences.length]} (Note ${n}.)`;
const section = (n: number, round: number): string =>
  `## Section ${n} of ${round}\n\n${[0, 1, 2, 3].map((i) => sentence(1_000 * round + 4 * n + i)).join(' ')}\n`;

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

async function ingest(knowledge: Knowledge, collection: string, documents: { name: string; text: string }[]) {
  for (let from = 0; from < documents.length; from += 100) {
    const run = await knowledge.ingest(collection, documents.slice(from, from + 100), undefined, 600_000);
    if (run.status !== 'SUCCEEDED') throw new Error(run.errorMessage ?? run.status);
  }
}

/** The peer: nothing but vectors. */
async function embedOnly(knowledge: Knowledge, texts: readonly string[]): Promise<void> {
  const { workspaceId, worker, vectors } = knowledge;
  const embedder = await realEmbedder();
  const indexId = newId();
  await vectors.ensure(workspaceId, indexId, embedder.dimensions);
  for (let from = 0; from < texts.length; from += PEER_BATCH) {
    const batch = texts.slice(from, from + PEER_BATCH);
    const embedded = await worker.embed({ workspaceId, embedder, texts: batch }, { priority: 'bulk' });
    await vectors.upsert(
      workspaceId,
      indexId,
      embedded.vectors.map((vector) => ({ id: newId(), vector, metadata: { documentId: indexId } })),
    );
  }
  await vectors.drop(workspaceId, indexId);
}

interface Round {
  snippets: number;
  snippetsPeer: number;
  whole: number;
  wholePeer: number;
  changed: number;
}

async function measure(knowledge: Knowledge, round: number): Promise<Round> {
  const { name } = await knowledge.collection();
  const snippets = Array.from({ length: SNIPPETS }, (_, n) => sentence(10_000 * round + n));
  const sections = Array.from({ length: SECTIONS }, (_, n) => section(n, round));
  const send = (parts: readonly string[]) => ingest(knowledge, name, [{ name: 'long.md', text: parts.join('\n') }]);
  return {
    snippetsPeer: await seconds(() => embedOnly(knowledge, snippets)),
    snippets: await seconds(() =>
      ingest(
        knowledge,
        name,
        snippets.map((text, n) => ({ name: `${n}.txt`, text })),
      ),
    ),
    wholePeer: await seconds(() => embedOnly(knowledge, sections)),
    whole: await seconds(() => send(sections)),
    changed: await seconds(() => send(sections.map((text, n) => (n === 30 ? section(n, round + 0.5) : text)))),
  };
}

await startTestServers();
const knowledge = await startKnowledge();
try {
  await embedOnly(knowledge, sentences.slice(0, PEER_BATCH));
  const rounds: Round[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) rounds.push(await measure(knowledge, round));
  const of = (key: keyof Round): number => median(rounds.map((each) => each[key]));
  const ratio = (key: keyof Round, peer: keyof Round): string =>
    median(rounds.map((each) => each[key] / each[peer])).toFixed(2);
  const row = (what: string, key: keyof Round, peer: keyof Round) => ({
    what,
    'Graft, s': of(key).toFixed(1),
    'embedding alone, s': of(peer).toFixed(1),
    ratio: ratio(key, peer),
  });
  printResult('ingestion', {
    machine: describeMachine(),
    rows: [
      row(`${SNIPPETS} snippets, a document each`, 'snippets', 'snippetsPeer'),
      row(`a document of ${SECTIONS} sections`, 'whole', 'wholePeer'),
      row('the same with one paragraph changed', 'changed', 'wholePeer'),
    ],
    rounds,
  });
} finally {
  await knowledge.stop();
  await stopTestServers();
}
