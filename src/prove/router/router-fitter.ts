import {
  bestSentence,
  membershipOf,
  nearestCollection,
  retrievePassages,
  SIGNIFICANCE,
  type RetrievalResult,
  type AdapterSample,
  type FittedOn,
  type MembershipModel,
  type RouterMode,
  type RouterParameters,
  type RouterRecord,
  type RouterStore,
} from '../../answer/ask/index.js';
import { inputText, Split, type Data } from '../../sources/data/index.js';
import { EVERYBODY } from '../../kernel/caller.js';
import type { Clock } from '../../kernel/clock.js';
import { GraftError } from '../../kernel/errors.js';
import { groupBy } from '../../kernel/group-by.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { seededRandom, shuffled } from '../../kernel/random.js';
import { wordsOf } from '../../kernel/text.js';
import {
  ALL_SEEN,
  embedderDigest,
  makeQuestions,
  type CollectionStore,
  type DocumentStore,
  type Retriever,
  type SearchScope,
} from '../../sources/knowledge/index.js';
import { pause } from '../../platform/events/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { AdapterRegistry, ModelRegistry } from '../../sources/registry/index.js';
import { sampleRows, type AskedRow } from '../evaluations/sample-rows.js';
import { embedGroups } from '../embed-texts.js';
import { inThread } from '../in-thread.js';
import type { FittedMembership, MembershipRows } from '../membership/fit-membership.js';
import { generalTexts } from '../membership/general-texts.js';
import { spelled } from '../membership/spellings.js';
import { askedLike } from './asked-like.js';
import { fitRouter, type PlacedQuestion } from './fit-router.js';
import { changesSince, fittedOn, placesNow, type PlaceChange, type PlacedAdapter, type Places } from './places.js';
import { routerFit, type RouterFitContext } from './router-run.js';

interface RouterFitterParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'embedder'>;
  adapters: AdapterRegistry;
  data: Data;
  retriever: Pick<Retriever, 'retrieve' | 'termWeights'>;
  collections: Pick<CollectionStore, 'scope' | 'newPassages'>;
  documents: Pick<DocumentStore, 'drawChunks'>;
  worker: Pick<WorkerClient, 'embed'>;
  clock: Clock;
  routers: RouterStore;
}

/** Questions of each place: half of them fit, half of them measure. */
const OWN = 120;
/** Messages of an adapter that are enough to tell what documents hold for such. */
const EVIDENCED = 60;
/** Rows of an adapter that its membership is learned from. */
const ROWS = 1_000;
const MOST_ROUNDS = 8;
/** Questions that are placed at once. */
const AT_ONCE = 16;
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

/** An adapter with rows that its membership is learned from, and others that it is measured on. */
interface SampledAdapter {
  adapter: PlacedAdapter;
  rows: { ordinal: number; label: string | null; vectors: Float32Array[] }[];
}

/** An adapter whose membership was learned. */
interface MemberAdapter {
  adapter: PlacedAdapter;
  model: MembershipModel;
  /** Those of the model's rows, in their order. */
  rows: Pick<SampledAdapter['rows'][number], 'ordinal' | 'label'>[];
}

/** Lets a version of the router learn where questions belong. */
export class RouterFitter {
  readonly routers: RouterStore;

  constructor(private readonly parts: RouterFitterParts) {
    this.routers = parts.routers;
  }

  /** @returns the ROUTER_FIT run @throws IDEMPOTENCY_CONFLICT */
  start(
    workspaceId: WorkspaceId,
    {
      idempotencyKey,
      ...input
    }: {
      mode: RouterMode;
      seed: number;
      automatic?: true;
      urgent?: true;
      idempotencyKey: string;
    },
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

  /**
   * What a version was fitted on and is not there as it was, and the state of now. Without a version only adapters are new: documents alone leave nothing
   * to choose between.
   */
  async changes(
    workspaceId: WorkspaceId,
    router: RouterRecord | null,
  ): Promise<{ changes: PlaceChange[]; state: object; fittable: boolean }> {
    const places = await placesNow(this.parts, workspaceId);
    const baseline = router?.learned.fittedOn ?? null;
    const added = baseline
      ? await this.parts.collections.newPassages(workspaceId, baseline.mark)
      : new Map<string, number>();
    const adapters = places.adapters.map(({ versionId }) => versionId);
    const collections = places.collections.map(({ id, chunks }) => [id, chunks, added.get(id) ?? 0]);
    return {
      changes: baseline
        ? changesSince(baseline, places, added)
        : changesSince(NOTHING, { ...places, collections: [] }, added),
      state: { collections, adapters },
      fittable: places.collections.length + places.adapters.length > 0,
    };
  }

  /** The work of a ROUTER_FIT run. @throws CONFLICT where there is nothing to choose between, and what worker and vector store throw */
  async fit(context: RouterFitContext): Promise<{ version: number }> {
    const { run, input } = context;
    const { registry, routers } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    await this.#giveWay(context);
    const mark = newId();
    const places = await placesNow(this.parts, workspaceId);
    if (places.collections.length + places.adapters.length === 0)
      throw new GraftError('CONFLICT', 'There is nothing to choose between.', {
        hint: 'Ingest documents, or promote an adapter to production first.',
      });
    const { asked, messages, adapters } = await this.#learnt(context, places);
    const questions = await this.#placed(context, places, { asked, adapters });
    const evidence = await this.#evidence(context, places, messages);
    const { collections: fitted, ...whole } = fitRouter(
      {
        collections: places.collections.map(({ id }) => id),
        adapters: adapters.map(({ adapter }) => adapter.versionId),
      },
      questions,
      evidence,
    );
    const parameters: RouterParameters = {
      ...whole,
      risks: byReference(whole.risks, adapters),
      collections: places.collections.flatMap(({ id, name }) => {
        const fittedCollection = fitted.find((collection) => collection.id === id);
        return fittedCollection ? [{ ...fittedCollection, name }] : [];
      }),
      adapters: adapters.map(({ adapter: { versionId, name, version, datasetVersionId }, model }) => {
        const { labels, weights, calibration } = model;
        const membership = { labels, weights, calibration };
        return { versionId, name, version, datasetVersionId, membership, evidence: evidence.get(versionId) ?? [] };
      }),
      fittedOn: fittedOn(places, mark),
    };
    const samples = adapters.map(({ adapter, model: { regression, rows: vectors }, rows }): AdapterSample => ({
      adapterVersionId: adapter.versionId,
      regression,
      rows: vectors,
      ordinals: rows.map(({ ordinal }) => ordinal),
      labels: rows.map(({ label }) => label ?? ''),
    }));
    let version = 0;
    await context.fenced(async (tx) => {
      const digest = embedderDigest(registry.embedder());
      const modeAskedAt = input.automatic ? null : run.createdAt;
      const newRouter = { embedderDigest: digest, mode: input.mode, modeAskedAt, learned: parameters, samples };
      const record = await routers.add(tx, workspaceId, newRouter);
      version = record.version;
    });
    return { version };
  }

  /** Questions to measure on, some messages of each adapter, and what was learned of adapters from texts that are none of them. */
  async #learnt(
    context: RouterFitContext,
    { collections, adapters, sight }: Places,
  ): Promise<{ asked: EmbeddedQuestion[]; messages: EmbeddedQuestion[]; adapters: MemberAdapter[] }> {
    const { run, input, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const random = seededRandom(input.seed);
    await context.progress(0, 'Making questions.');
    const general = shuffled(await generalTexts(), random);
    const half = Math.ceil(general.length / 2);
    const questions = await this.#embedded(workspaceId, null, general.slice(half).map(unshared), signal);
    const foreign = await this.#spelled(workspaceId, general.slice(0, half), random, signal);
    for (const collection of collections) {
      await this.#giveWay(context);
      const scope = { workspaceId, collections: [collection], groups: EVERYBODY, sight };
      const sourcedTexts = await this.#ofCollection(scope, general, input.seed);
      // A third teaches adapters what is foreign, whole passages at a time; the others measure.
      const sources = [...new Set(sourcedTexts.map(({ source }) => source))];
      const teaches = new Set(sources.filter((_, i) => adapters.length > 0 && i % 3 === 2));
      const texts = sourcedTexts.filter(({ source }) => teaches.has(source)).map(({ text }) => text);
      foreign.push(...(await this.#spelled(workspaceId, texts, random, signal)));
      const measuredTexts = sourcedTexts.filter(({ source }) => !teaches.has(source));
      questions.push(...(await this.#embedded(workspaceId, collection.id, measuredTexts, signal)));
    }
    const sampled: SampledAdapter[] = [];
    const messages: EmbeddedQuestion[] = [];
    for (const adapter of adapters) {
      await this.#giveWay(context);
      const { rows, own } = await this.#ofAdapter(workspaceId, adapter, input.seed);
      const vectors = await this.#spelled(workspaceId, rows.map(textOf), random, signal);
      sampled.push({
        adapter,
        rows: rows.map((row, i) => ({ ordinal: row.ordinal, label: labelOf(row), vectors: vectors[i]! })),
      });
      const { versionId: belongs } = adapter;
      const heldOutQuestions = await this.#embedded(workspaceId, belongs, own.map(unshared), signal);
      const trainedQuestions = rows.map((row, i) => ({ ...unshared(textOf(row)), belongs, vector: vectors[i]![0]! }));
      questions.push(...heldOutQuestions);
      messages.push(...[...heldOutQuestions, ...trainedQuestions].slice(0, EVIDENCED));
    }
    const members: MemberAdapter[] = [];
    for (const { adapter, rows } of sampled) {
      await this.#giveWay(context);
      await context.progress(0.2, `Learning which messages belong to ${adapter.name}.`);
      const foreignRows = sampled.filter((sample) => sample.adapter !== adapter).flatMap((sample) => sample.rows);
      const strange = [
        ...foreign,
        ...shuffled(foreignRows, random)
          .slice(0, ROWS)
          .map(({ vectors }) => vectors),
      ];
      const work: MembershipRows = { own: rows, foreign: strange, seed: input.seed };
      const model = await inThread<FittedMembership | null>('membership/membership-thread', work, signal);
      if (model) members.push({ adapter, model, rows: model.kept.map((place) => rows[place]!) });
    }
    return { asked: questions, messages, adapters: members };
  }

  /** Holds questions against every place, as they would be when served. */
  async #placed(
    context: RouterFitContext,
    { collections, sight }: Places,
    { asked, adapters }: { asked: readonly EmbeddedQuestion[]; adapters: readonly MemberAdapter[] },
  ): Promise<PlacedQuestion[]> {
    const { run, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const place = async (question: EmbeddedQuestion): Promise<PlacedQuestion> => {
      const memberships = new Map(
        adapters.map(({ adapter, model }) => [adapter.versionId, membershipOf(model, question.vector)]),
      );
      const scope = { workspaceId, collections, groups: EVERYBODY, sight };
      const { belongs, source } = question;
      const searchResult = await this.#found(scope, question, signal);
      const isTaken = [...memberships.values()].some(({ pValue }) => pValue >= SIGNIFICANCE);
      const best = searchResult && isTaken ? await bestSentence(this.parts, workspaceId, searchResult, signal) : null;
      return { belongs, source, nearest: nearestCollection(searchResult?.retrieval.passages ?? []), best, memberships };
    };
    return this.#inTurns(context, asked, place, (count) =>
      context.progress(0.3 + (0.5 * count) / asked.length, `${count} of ${asked.length} questions are placed.`),
    );
  }

  /** What documents hold for messages of each adapter, whoever may read them: scores tell nothing of what they say. */
  async #evidence(
    context: RouterFitContext,
    { collections }: Places,
    messages: readonly EmbeddedQuestion[],
  ): Promise<Map<string, number[]>> {
    const { run, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const scope = { workspaceId, collections, groups: null, sight: ALL_SEEN };
    const scoreOf = async (message: EmbeddedQuestion): Promise<[string, number][]> => {
      const searchResult = await this.#found(scope, message, signal);
      const best = searchResult && (await bestSentence(this.parts, workspaceId, searchResult, signal));
      return best ? [[message.belongs!, best.score]] : [];
    };
    const scores = await this.#inTurns(context, messages, scoreOf, (count) =>
      context.progress(
        0.8 + (0.15 * count) / messages.length,
        `${count} of ${messages.length} messages are looked up.`,
      ),
    );
    const byAdapter = groupBy(scores.flat(), ([adapter]) => adapter);
    return new Map([...byAdapter].map(([adapter, scorePairs]) => [adapter, scorePairs.map(([, score]) => score)]));
  }

  /** Some at once, and between them whoever waits. */
  async #inTurns<T, R>(
    context: RouterFitContext,
    items: readonly T[],
    work: (item: T) => Promise<R>,
    report: (done: number) => Promise<void>,
  ): Promise<R[]> {
    const results: R[] = [];
    while (results.length < items.length) {
      context.signal.throwIfAborted();
      await this.#giveWay(context);
      results.push(...(await Promise.all(items.slice(results.length).slice(0, AT_ONCE).map(work))));
      await report(results.length);
      await context.takeTurns();
    }
    return results;
  }

  /** Null without a collection. */
  async #found(
    scope: SearchScope,
    { text, vector }: EmbeddedQuestion,
    signal: AbortSignal,
  ): Promise<RetrievalResult | null> {
    if (scope.collections.length === 0) return null;
    return retrievePassages(this.parts, scope, { text, vector: Promise.resolve({ vector, ms: 0 }) }, signal);
  }

  /** A fit that nobody asked for waits while anything else works, and lets one that somebody asks for pass. */
  async #giveWay({ run, input, signal, takeTurns }: RouterFitContext): Promise<void> {
    // Until there is a router, plain questions don't reach the adapter that just came: that doesn't wait.
    if (!input.automatic || input.urgent) return;
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
    const sourceByQuestion = new Map<string, string>();
    for (let round = 0; sourceByQuestion.size < OWN && round < MOST_ROUNDS; round++)
      for (const { question, chunkIds } of await makeQuestions(this.parts, scope, { most: OWN, seed: seed + round }))
        if (!sourceByQuestion.has(question)) sourceByQuestion.set(question, chunkIds[0]!);
    return [...sourceByQuestion]
      .slice(0, OWN)
      .map(([cloze, source]) => ({ text: askedLike(cloze, strange, random), source }));
  }

  /** Rows that it was trained on, and texts of the same kind to measure with: those for validation, and a part of those for training where these are few. */
  async #ofAdapter(
    workspaceId: WorkspaceId,
    { datasetVersionId }: PlacedAdapter,
    seed: number,
  ): Promise<{ rows: AskedRow[]; own: string[] }> {
    const { data } = this.parts;
    const { dataset, rowGroups } = await data.datasets.usableVersion(workspaceId, datasetVersionId, 'input');
    const sampleOf = (split: Split, limit: number): Promise<AskedRow[]> =>
      sampleRows(data.rows.stream(dataset.task, rowGroups, { split, quarantined: false }), limit, seed);
    const validation = await sampleOf(Split.VALIDATION, OWN);
    if (validation.length >= OWN / 4) return { rows: await sampleOf(Split.TRAIN, ROWS), own: validation.map(textOf) };
    const train = await sampleOf(Split.TRAIN, ROWS + OWN);
    const isOwn = (_: AskedRow, i: number): boolean => i % Math.max(4, Math.ceil(train.length / OWN)) === 0;
    return { rows: train.filter((row, i) => !isOwn(row, i)), own: [...validation, ...train.filter(isOwn)].map(textOf) };
  }

  /** Vectors of each text in several spellings. */
  async #spelled(
    workspaceId: WorkspaceId,
    texts: readonly string[],
    random: () => number,
    signal: AbortSignal,
  ): Promise<Float32Array[][]> {
    const spellings = texts.map((text) => spelled(text, random));
    return embedGroups(this.parts, workspaceId, spellings, signal);
  }

  async #embedded(
    workspaceId: WorkspaceId,
    belongs: string | null,
    questions: readonly SourcedText[],
    signal: AbortSignal,
  ): Promise<EmbeddedQuestion[]> {
    const texts = questions.map(({ text }) => text);
    const [vectors] = await embedGroups(this.parts, workspaceId, [texts], signal);
    return questions.map((question, i) => ({ ...question, belongs, vector: vectors![i]! }));
  }
}

const NOTHING: FittedOn = { mark: '', collections: [], adapters: [] };

const textOf = ({ content }: AskedRow): string => inputText(content);
const labelOf = ({ content }: AskedRow): string | null => ('label' in content ? content.label : null);

/** Keys of destinations as the router names them when it is asked: `name@3` for the id of a version. */
const byReference = (risks: RouterParameters['risks'], adapters: readonly MemberAdapter[]): RouterParameters['risks'] =>
  Object.fromEntries(
    Object.entries(risks).map(([key, curve]) => {
      const member = adapters.find(({ adapter }) => adapter.versionId === key);
      return [member ? `${member.adapter.name}@${member.adapter.version}` : key, curve];
    }),
  );
