/**
 * How often AUTO takes a question where it belongs, through the public API of a running gateway that `npm run bench -- tasks` has
 * gone through: test rows of its adapters' datasets, questions about documents, requests that belong to nobody, and questions about
 * a collection that was made after the fit. Beside it, on the same questions: always the commonest route, the 15 nearest neighbours by
 * the same embedder, and a TF-IDF regression, both given labelled questions of every route, which the router never gets for documents.
 *
 *   npm run bench -- router [--at http://127.0.0.1:4000] [--rows 100] [--adapters intents,sentiment,entities,spanish]
 *
 * The gateway must hold no documents that are an adapter's rows, too (XQuAD's texts are the Spanish adapter's), and must not fit the
 * router by itself meanwhile (`GRAFT_ROUTER_REFIT=off`). An adapter without a production version gets its newest one, by force: the
 * benchmark is about routes. COVID-QA's first 12 articles are the documents; every second of their questions is known to the peers. The
 * router is left in mode APPLY.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { followRun } from '../src/cli/follow-run.js';
import { GraftClient } from '../src/client/graft-client.js';
import { calibrationError, measure } from '../src/evaluation/index.js';
import { dot } from '../src/kernel/vectors.js';
import {
  AdapterDocument,
  CollectionsDocument,
  CreateCollectionDocument,
  FitRouterDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  PromoteAdapterDocument,
  RouterDocument,
  RouterFitProgressDocument,
  type AdapterAlias,
} from '../src/operations/index.js';
import { realEmbedder, startWorker, workspaceId } from '../test/support/worker.js';
import { listOption, numberOption, textOption } from './support/options.js';
import { OUT_OF_SCOPE } from './support/out-of-scope.js';
import { Peers } from './support/peers.js';
import { describeMachine, median, printResult } from './support/report.js';
import { readSquad } from './support/squad.js';

const ADAPTERS = listOption('adapters') ?? ['intents', 'sentiment', 'entities', 'spanish'];
const ARTICLES = 12;
const NEIGHBOURS = 15;
/** Questions of each route that the peers know. */
const KNOWN = 200;

const ROWS = numberOption('rows', 100);
const client = new GraftClient(textOption('at', 'http://127.0.0.1:4000'));

interface Placed {
  text: string;
  /** `BASE`, `RAG`, or the name of an adapter. */
  route: string;
}

const ROWS_OF = `query ($adapter: String!, $split: Split!) {
  adapter(name: $adapter) { versions { trainedOn { rows(first: 100, split: $split) { edges { node { content {
    ... on ClassificationContent { text } ... on ExtractionContent { text } ... on TranslationContent { source } } } } } } } } }`;
interface RowsOf {
  adapter: {
    versions: { trainedOn: { rows: { edges: { node: { content: { text?: string; source?: string } } }[] } } }[];
  };
}

/** The first texts of a split of what an adapter learned from, as placed questions. */
async function rowsOf(adapter: string, split: 'TRAIN' | 'TEST', most: number): Promise<Placed[]> {
  const found = await client.request<RowsOf>(ROWS_OF, { adapter, split });
  return found.adapter.versions[0]!.trainedOn.rows.edges.slice(0, most).map(({ node: { content } }) => ({
    text: (content.text ?? content.source)!,
    route: adapter,
  }));
}

/** Makes sure that an adapter answers by its name. @returns whether there is such an adapter */
async function inProduction(adapter: string): Promise<boolean> {
  const found = await client.request(AdapterDocument, { name: adapter });
  const newest = found.adapter?.versions[0];
  if (!newest) return false;
  if (found.adapter!.versions.some(({ aliases }) => aliases.includes('PRODUCTION'))) return true;
  for (const alias of ['CANDIDATE', 'PRODUCTION'] satisfies AdapterAlias[])
    await client.request(PromoteAdapterDocument, {
      input: { adapter, version: newest.version, alias, force: true, reason: 'The benchmark of routes.', by: 'bench' },
    });
  return true;
}

async function ingest(name: string, documents: { name: string; text: string }[]): Promise<void> {
  const { collections } = await client.request(CollectionsDocument, {});
  if (collections.edges.some(({ node }) => node.name === name)) return;
  const { createCollection } = await client.request(CreateCollectionDocument, { input: { name } });
  const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
    input: { collection: name, documents, idempotencyKey: `bench-${createCollection.collection.id}` },
  });
  const events = client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id });
  await followRun(ingestDocuments.run.id, events, (data) => data.ingestionProgress);
}

async function fit(): Promise<void> {
  const { fitRouter } = await client.request(FitRouterDocument, {
    input: { mode: 'APPLY', idempotencyKey: `bench-${Date.now()}` },
  });
  const events = client.subscribe(RouterFitProgressDocument, { runId: fitRouter.run.id });
  await followRun(fitRouter.run.id, events, (data) => data.routerFitProgress);
}

interface Decision {
  route: string;
  /** Of the chosen one, as the router tells it; 0 where it wasn't asked. */
  probability: number;
  /** As the client sees it, the question's vector and what is looked up included. */
  ms: number;
}

const ROUTE = `subscription ($question: String!) { askStream(input: { question: $question }) { ... on RouteChosen { route {
  strategy candidates { strategy adapter probability } } } } }`;
interface RouteEvent {
  askStream: {
    route?: {
      strategy: string;
      candidates: { strategy: string; adapter: string | null; probability: number | null }[];
    };
  };
}

/** The first event of an answer tells the route; nothing more of it is wanted. */
async function decide(question: string): Promise<Decision> {
  const began = performance.now();
  for await (const { askStream } of client.subscribe<RouteEvent, { question: string }>(ROUTE, { question })) {
    if (!askStream.route) continue;
    const { strategy, candidates } = askStream.route;
    const chosen = candidates
      .filter((each) => each.strategy === strategy)
      .reduce((best, each) => ((each.probability ?? 0) > (best.probability ?? 0) ? each : best));
    const route = chosen.adapter === null ? strategy : chosen.adapter.replace(/@\d+$/, '');
    return { route, probability: chosen.probability ?? 0, ms: performance.now() - began };
  }
  throw new Error('the stream told no route');
}

async function decideAll(questions: readonly string[]): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for (const question of questions) decisions.push(await decide(question));
  return decisions;
}

/** What most of the nearest known questions are, by the embedder that the gateway uses. */
async function byNeighbours(known: readonly Placed[], asked: readonly Placed[]): Promise<string[]> {
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
      const nearest = around
        .map((other, index) => ({ route: known[index]!.route, similarity: dot(vector, other) }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, NEIGHBOURS);
      return commonest(nearest.map(({ route }) => route));
    });
  } finally {
    await worker.dispose();
  }
}

function commonest(routes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const route of routes) counts.set(route, (counts.get(route) ?? 0) + 1);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
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

const share = (hits: readonly boolean[]): string =>
  `${((100 * hits.filter(Boolean).length) / Math.max(1, hits.length)).toFixed(1)} %`;

const covid = readSquad('covidqa-part')?.slice(0, ARTICLES);
if (!covid) throw new Error('SKIPPED: covidqa-part.json is not in ../shared/datasets');
const adapters: string[] = [];
for (const adapter of ADAPTERS)
  if (await inProduction(adapter)) adapters.push(adapter);
  else console.log(`SKIPPED: no adapter ${adapter}; run npm run bench -- tasks first`);

const documents = covid.map(({ title, paragraphs }) => ({
  name: title,
  text: paragraphs.map(({ text }) => text).join('\n\n'),
}));
await ingest('covid', documents);
await fit();
const fitted = (await client.request(RouterDocument, {})).router;
const questions = covid.flatMap(({ paragraphs }) =>
  paragraphs.flatMap((each) => each.questions.map(({ text }) => text)),
);
const about = (texts: readonly string[], route: string): Placed[] => texts.map((text) => ({ text, route }));
const prompts = readFileSync('examples/general-text/chat-prompts.txt', 'utf8')
  .split('\n')
  .filter((line) => line !== '');
const asked = about(questions.filter((_, index) => index % 2 === 0).slice(0, ROWS), 'RAG').concat(
  about(OUT_OF_SCOPE, 'BASE'),
);
const known = about(questions.filter((_, index) => index % 2 === 1).slice(0, KNOWN), 'RAG').concat(
  about(prompts.slice(0, KNOWN), 'BASE'),
);
for (const adapter of adapters) {
  asked.push(...(await rowsOf(adapter, 'TEST', ROWS)));
  known.push(...(await rowsOf(adapter, 'TRAIN', KNOWN)));
}
const about24 = JSON.parse(readFileSync('examples/questions.json', 'utf8')) as {
  question: string;
  answer: string | null;
}[];

const decisions = await decideAll(asked.map(({ text }) => text));
const texts = readdirSync('examples/handbook').filter((name) => /\.(md|txt)$/.test(name));
const handbook = texts.map((name) => ({ name, text: readFileSync(join('examples/handbook', name), 'utf8') }));
await ingest('made-after-the-fit', handbook);
const unseen = await decideAll(about24.filter(({ answer }) => answer !== null).map(({ question }) => question));
const whileUnknown = await decideAll(asked.map(({ text }) => text));
const [nearest, tfidf] = [await byNeighbours(known, asked), await byTfIdf(known, asked)];

const routes = [...new Set(asked.map(({ route }) => route))];
const right = (said: readonly string[], route?: string): string =>
  share(asked.flatMap((each, index) => (route && each.route !== route ? [] : [said[index] === each.route])));
const rows = [...routes, undefined].map((route) => ({
  route: route ?? 'all',
  questions: asked.filter((each) => !route || each.route === route).length,
  router: right(
    decisions.map((each) => each.route),
    route,
  ),
  'nearest neighbours': right(nearest, route),
  'TF-IDF regression': tfidf ? right(tfidf, route) : '',
}));
printResult('router', {
  machine: describeMachine(),
  rows,
  commonestRoute: share(asked.map(({ route }) => route === commonest(asked.map((each) => each.route)))),
  expectedCalibrationError: measure(
    calibrationError,
    decisions.map(({ route, probability }, index) => ({ gold: asked[index]!.route, predicted: route, probability })),
  ),
  collectionMadeAfterTheFit: share(unseen.map(({ route }) => route === 'RAG')),
  allWhileThatIsNotFitted: right(whileUnknown.map(({ route }) => route)),
  medianMs: median(decisions.map(({ ms }) => ms)),
  fitted: fitted?.figures ?? null,
});
client.close();
