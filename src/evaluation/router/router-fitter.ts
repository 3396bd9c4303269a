import { EVERYBODY } from '../../kernel/caller.js';
import {
  directionOf,
  nearestCollection,
  signalOfPassages,
  signalOfSample,
  type AdapterSample,
  type Offsets,
  type RouterMode,
  type RouterRecord,
  type RouterStore,
  type PlaceSignal,
} from '../../ask/index.js';
import { pause } from '../../platform/events/index.js';
import { inputText, Split, type Data } from '../../data/index.js';
import { GraftError } from '../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { seededRandom } from '../../kernel/random.js';
import { splitSentences } from '../../kernel/sentences.js';
import { wordsOf } from '../../kernel/text.js';
import {
  embedderDigest,
  makeQuestions,
  type CollectionStore,
  type DocumentStore,
  type Passage,
  type Retriever,
  type SearchScope,
} from '../../knowledge/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { readChatPrompts, readReplay, type AdapterRegistry, type ModelRegistry } from '../../registry/index.js';
import { sampleRows } from '../evaluations/sample-rows.js';
import { askedLike } from './asked-like.js';
import { fitRouter, halves, type PlacedQuestion } from './fit-router.js';
import { changesSince, fittedOn, placesNow, type PlaceChange, type PlacedAdapter } from './places.js';
import { routerFit, type RouterFitContext } from './router-run.js';

export interface RouterFitterParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'embedder'>;
  adapters: AdapterRegistry;
  data: Data;
  retriever: Pick<Retriever, 'retrieve' | 'termWeights'>;
  collections: Pick<CollectionStore, 'scope' | 'newPassages'>;
  documents: Pick<DocumentStore, 'drawChunks'>;
  worker: Pick<WorkerClient, 'embed'>;
  routers: RouterStore;
}

/** Questions of each place: half of them fit, half of them measure. */
const OWN = 120;
/** Inputs of an adapter that questions are held against: enough for each label of a large set. */
const SAMPLE = 400;
const PASSAGES = 6;
const MOST_ROUNDS = 8;
/** How often a fit that nobody waits for looks whether it may go on. */
const GIVE_WAY_MS = 1_000;

/** A question before it was held against the places. */
interface EmbeddedQuestion {
  belongs: string | null;
  /** The passage that it was made of; null where none shares its source. */
  source: string | null;
  text: string;
  vector: Float32Array;
}

type SourcedText = Pick<EmbeddedQuestion, 'text' | 'source'>;
const unshared = (text: string): SourcedText => ({ text, source: null });

/** Lets a version of the router learn where questions belong. */
export class RouterFitter {
  readonly routers: RouterStore;

  constructor(private readonly parts: RouterFitterParts) {
    this.routers = parts.routers;
  }

  /** @returns the ROUTER_FIT run @throws IDEMPOTENCY_CONFLICT */
  start(
    workspaceId: WorkspaceId,
    { idempotencyKey, ...input }: { mode: RouterMode; seed: number; automatic?: true; idempotencyKey: string },
  ): Promise<RunRow> {
    return this.parts.runs.enqueue(routerFit, { workspaceId, idempotencyKey, input });
  }

  /** The fit that works, or else the one that is next; null when there is none. */
  async fitting(workspaceId: WorkspaceId): Promise<RunRow | null> {
    const unfinished = { kind: routerFit.kind, status: ['RUNNING', 'QUEUED'] } as const;
    const { items } = await this.parts.runs.list(workspaceId, unfinished, { first: 100, after: null });
    return items.find(({ status }) => status === 'RUNNING') ?? items.at(-1) ?? null;
  }

  /** Whether a run of another kind is being worked on. */
  async othersWork(workspaceId: WorkspaceId): Promise<boolean> {
    const unfinished = await this.parts.runs.unfinished(workspaceId);
    return unfinished.some(({ kind, status }) => kind !== routerFit.kind && status === 'RUNNING');
  }

  /** What a version was fitted on and is not there as it was, and the state of now; a router of an earlier kind knows no passages. */
  async changes(
    workspaceId: WorkspaceId,
    { learned }: RouterRecord,
  ): Promise<{ changes: PlaceChange[]; state: object; fittable: boolean }> {
    const places = await placesNow(this.parts, workspaceId);
    const then = learned.fittedOn;
    const added = then ? await this.parts.collections.newPassages(workspaceId, then.mark) : new Map<string, number>();
    const adapters = places.adapters.map(({ versionId }) => versionId);
    const collections = places.collections.map(({ id, chunks }) => [id, chunks, added.get(id) ?? 0]);
    return {
      changes: then ? changesSince(then, places, added) : [],
      state: { collections, adapters },
      fittable: places.collections.length + places.adapters.length > 0,
    };
  }

  /** The work of a ROUTER_FIT run. @throws CONFLICT where there is nothing to choose between, and what worker and vector store throw */
  async fit(context: RouterFitContext): Promise<{ version: number }> {
    const { run, input, signal } = context;
    const { registry, routers } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    await this.#giveWay(context);
    const mark = newId();
    const places = await placesNow(this.parts, workspaceId);
    const { collections, adapters, sight } = places;
    if (collections.length + adapters.length === 0)
      throw new GraftError('CONFLICT', 'There is nothing to choose between.', {
        hint: 'Ingest documents, or promote an adapter to production first.',
      });

    await context.progress(0, 'Making questions.');
    const general = await generalQuestions();
    const asked: EmbeddedQuestion[] = await this.#embedded(workspaceId, null, general.map(unshared), signal);
    // Of text that is ours: what is kept of an adapter's rows holds nothing of another's.
    const elsewhere = halves(asked)[0].map(({ vector }) => vector);
    for (const collection of collections) {
      await this.#giveWay(context);
      const made = await this.#ofCollection(
        { workspaceId, collections: [collection], groups: EVERYBODY, sight },
        general,
        input.seed,
      );
      asked.push(...(await this.#embedded(workspaceId, collection.id, made, signal)));
    }
    const samples: AdapterSample[] = [];
    for (const adapter of adapters) {
      await this.#giveWay(context);
      const { texts, own } = await this.#ofAdapter(workspaceId, adapter, input.seed);
      const vectors = (await this.#embedded(workspaceId, null, texts.map(unshared), signal)).map(
        ({ vector }) => vector,
      );
      if (vectors.length > 0) samples.push(sampleOf(adapter.versionId, vectors, elsewhere));
      asked.push(...(await this.#embedded(workspaceId, adapter.versionId, own.map(unshared), signal)));
    }

    const questions: PlacedQuestion[] = [];
    for (const each of asked) {
      signal.throwIfAborted();
      if (questions.length % 25 === 0) await this.#giveWay(context);
      const signals = new Map<string, PlaceSignal>();
      for (const sample of samples)
        signals.set(sample.adapterVersionId, signalOfSample(sample, each.vector, each.text));
      const passagesOf = (of: SearchScope['collections']): Promise<Passage[]> =>
        this.#passages({ workspaceId, collections: of, groups: EVERYBODY, sight }, each, signal);
      let all: Passage[] = [];
      for (const collection of collections) {
        all = await passagesOf([collection]);
        const near = signalOfPassages(all);
        if (near) signals.set(collection.id, near);
      }
      // As a question is served: all collections are searched at once.
      if (collections.length > 1) all = await passagesOf(collections);
      const nearest = nearestCollection(all);
      questions.push({ belongs: each.belongs, source: each.source, signals, nearest });
      if (questions.length % 25 === 0)
        await context.progress(
          (0.95 * questions.length) / asked.length,
          `${questions.length} of ${asked.length} questions are placed.`,
        );
      await context.takeTurns();
    }

    const { offsets = {} } = (await routers.newest(workspaceId))?.learned ?? {};
    const fitted = fitRouter(
      [
        ...collections.map(({ id }) => ({ id, strategy: 'RAG' as const })),
        ...adapters.map(({ versionId }) => ({ id: versionId, strategy: 'ADAPTER' as const })),
      ],
      questions,
      measuringOffsets(offsets, adapters),
    );
    const calibrationOf = (id: string) => fitted.places.find((place) => place.id === id)?.calibration;
    const learned = {
      collections: collections.flatMap(({ id, name }) => {
        const calibration = calibrationOf(id);
        return calibration ? [{ id, name, calibration }] : [];
      }),
      adapters: adapters.flatMap(({ versionId, name, version }) => {
        const calibration = calibrationOf(versionId);
        return calibration ? [{ versionId, name, version, calibration }] : [];
      }),
      temperature: fitted.temperature,
      baseScore: fitted.baseScore,
      figures: fitted.figures,
      risk: fitted.risk,
      // As measured: those of places that are gone are left out when it is added.
      offsets,
      fittedOn: fittedOn(places, mark),
    };
    let version = 0;
    await context.fenced(async (tx) => {
      const digest = embedderDigest(registry.embedder());
      const modeAskedAt = input.automatic ? null : run.createdAt;
      const made = { embedderDigest: digest, mode: input.mode, modeAskedAt, learned, samples };
      const record = await routers.add(tx, workspaceId, made);
      version = record.version;
    });
    return { version };
  }

  /** A fit that nobody asked for waits while anything else works, and lets one that somebody asks for pass. */
  async #giveWay({ run, input, signal, takeTurns }: RouterFitContext): Promise<void> {
    if (!input.automatic) return;
    while (await this.othersWork(run.workspaceId as WorkspaceId)) {
      await pause(GIVE_WAY_MS, signal);
      signal.throwIfAborted();
      await takeTurns();
    }
  }

  /** A small collection is asked several times about each of its passages. */
  async #ofCollection(scope: SearchScope, general: readonly string[], seed: number): Promise<SourcedText[]> {
    const strange = general.flatMap(wordsOf);
    const random = seededRandom(seed);
    const made = new Map<string, string>();
    for (let round = 0; made.size < OWN && round < MOST_ROUNDS; round++)
      for (const { question, chunkIds } of await makeQuestions(this.parts, scope, { most: OWN, seed: seed + round }))
        if (!made.has(question)) made.set(question, chunkIds[0]!);
    return [...made].slice(0, OWN).map(([cloze, source]) => ({ text: askedLike(cloze, strange, random), source }));
  }

  /** Inputs that it was trained on, and others of the same kind to calibrate with: those for validation, else further ones for training. */
  async #ofAdapter(
    workspaceId: WorkspaceId,
    { datasetVersionId }: PlacedAdapter,
    seed: number,
  ): Promise<{ texts: string[]; own: string[] }> {
    const { data } = this.parts;
    const { dataset, rowGroups } = await data.datasets.usableVersion(workspaceId, datasetVersionId, 'input');
    const of = async (split: Split, most: number): Promise<string[]> => {
      const stream = data.rows.stream(dataset.task, rowGroups, { split, quarantined: false });
      return (await sampleRows(stream, most, seed)).map(({ content }) => inputText(content));
    };
    const validation = await of(Split.VALIDATION, OWN);
    if (validation.length >= OWN / 4) return { texts: await of(Split.TRAIN, SAMPLE), own: validation };
    const train = await of(Split.TRAIN, SAMPLE + OWN);
    const own = train.filter((_, i) => i % Math.max(2, Math.ceil(train.length / OWN)) === 0);
    return { texts: train.filter((text) => !own.includes(text)), own };
  }

  async #embedded(
    workspaceId: WorkspaceId,
    belongs: string | null,
    questions: readonly SourcedText[],
    signal: AbortSignal,
  ): Promise<EmbeddedQuestion[]> {
    const { registry, worker } = this.parts;
    if (questions.length === 0) return [];
    const request = { workspaceId, embedder: registry.embedder(), texts: questions.map(({ text }) => text) };
    const { vectors } = await worker.embed(request, { signal, priority: 'bulk' });
    return questions.map((question, i) => ({ ...question, belongs, vector: vectors[i]! }));
  }

  async #passages(scope: SearchScope, { text, vector }: EmbeddedQuestion, signal: AbortSignal): Promise<Passage[]> {
    const asked = Promise.resolve({ vector, ms: 0 });
    const request = { scope, query: text, vector: asked, mode: 'HYBRID' as const, limit: PASSAGES };
    return (await this.parts.retriever.retrieve(request, { signal })).passages;
  }
}

/** What a router adds to scores, by `placeKey` with the ids of adapters for their names: the newest version's offsets go on, so it is measured as it will route. */
function measuringOffsets(offsets: Offsets, adapters: readonly PlacedAdapter[]): Offsets {
  const ids = new Map(adapters.map(({ versionId, name, version }) => [`${name}@${version}`, versionId]));
  return Object.fromEntries(Object.entries(offsets).map(([key, added]) => [ids.get(key) ?? key, added]));
}

/** What is kept of an adapter's inputs. @param own their vectors @param elsewhere vectors of text that belongs nowhere; neither is empty */
function sampleOf(
  adapterVersionId: string,
  own: readonly Float32Array[],
  elsewhere: readonly Float32Array[],
): AdapterSample {
  const dimensions = own[0]!.length;
  const vectors = rowMajor(own, dimensions);
  return {
    adapterVersionId,
    dimensions,
    vectors,
    direction: directionOf(vectors, rowMajor(elsewhere, dimensions), dimensions),
  };
}

function rowMajor(vectors: readonly Float32Array[], dimensions: number): Float32Array {
  const all = new Float32Array(vectors.length * dimensions);
  vectors.forEach((vector, i) => all.set(vector, i * dimensions));
  return all;
}

/** What belongs to nobody's documents or adapters: chat, and sentences of general text. */
async function generalQuestions(): Promise<string[]> {
  const sentences = splitSentences(await readReplay()).map(({ text }) => text);
  return [...(await readChatPrompts()), ...sentences].slice(0, OWN);
}
