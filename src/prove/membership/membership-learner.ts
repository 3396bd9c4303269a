import { membershipOf, OWN_REFUSED, type MembershipModel, type MembershipStore } from '../../answer/ask/index.js';
import { hasLabel, inputText, rightLabel, Split, type Data, type TaskRow } from '../../sources/data/index.js';
import { EVERYBODY } from '../../kernel/caller.js';
import { isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { seededRandom } from '../../kernel/random.js';
import { wordsOf } from '../../kernel/text.js';
import {
  embedderDigest,
  makeQuestions,
  type CollectionStore,
  type DocumentStore,
  type Retriever,
} from '../../sources/knowledge/index.js';
import type { Transaction } from '../../platform/database/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import {
  storedUsage,
  type AdapterRegistry,
  type AdapterVersionRow,
  type ModelRegistry,
} from '../../sources/registry/index.js';
import { sampleRows } from '../evaluations/sample-rows.js';
import { embedGroups } from '../embed-texts.js';
import { inThread } from '../in-thread.js';
import { askedLike } from '../router/asked-like.js';
import type { MembershipRows } from './fit-membership.js';
import { spelled } from './spellings.js';
import { GENERAL_SET, generalTexts, isMeasured } from './general-texts.js';
import { foreignFiguresOf, type ForeignFigures } from './foreign-figures.js';

interface MembershipLearnerParts {
  registry: Pick<ModelRegistry, 'embedder'>;
  adapters: AdapterRegistry;
  data: Data;
  retriever: Pick<Retriever, 'termWeights'>;
  collections: Pick<CollectionStore, 'scope'>;
  documents: Pick<DocumentStore, 'drawChunks'>;
  worker: Pick<WorkerClient, 'embed'>;
  memberships: MembershipStore;
}

/** What was learned of an adapter version's messages. */
export interface LearnedMembership {
  /** Null where it tells too little apart to refuse anything. */
  model: MembershipModel | null;
  figures: ForeignFigures | null;
}

/** Own rows that are learned from. */
const OWN = 1_200;
/** Texts of each foreign set. */
const OTHER_ROWS = 60;
const QUESTIONS = 40;
/** Other adapters and collections that foreign texts are drawn of. */
const MOST = { adapters: 10, collections: 4 } as const;
/** A version that takes more of the foreign texts for its own refuses nothing: it would lose own messages for little. */
const MOST_ACCEPTED = 0.5;
const SEED = 1;

interface ForeignSet {
  name: string;
  texts: readonly string[];
}

/** Learns which messages are an adapter version's own, and measures it on texts that are not. */
export class MembershipLearner {
  constructor(private readonly parts: MembershipLearnerParts) {}

  /**
   * Foreign are general text that ships with Graft, rows of other adapters of the workspace, and questions made of its documents.
   * @param ownMessages texts that the version has never seen
   * @returns null for a version that reads passages, whose rows are gone, or that has too few of them
   * @throws what the worker throws
   */
  async learn(
    workspaceId: WorkspaceId,
    version: AdapterVersionRow,
    ownMessages: readonly string[],
    signal: AbortSignal,
  ): Promise<LearnedMembership | null> {
    if (version.datasetVersionId === null || storedUsage.decode(version.usage).reads) return null;
    const rows = await this.#rows(workspaceId, version.datasetVersionId, OWN);
    if (rows === null) return null;
    const ownTexts = new Set(rows.map(inputText));
    const sets = await this.#foreign(workspaceId, version, ownTexts);
    const fitted = sets.flatMap(({ texts }) => texts.filter((text, i) => !isMeasured(text, i)));
    const random = seededRandom(SEED);
    const spell = (texts: readonly string[]): string[][] => texts.map((text) => spelled(text, random));
    const foreign = await embedGroups(this.parts, workspaceId, spell(fitted), signal);
    const vectors = await embedGroups(this.parts, workspaceId, spell(rows.map(inputText)), signal);
    const work: MembershipRows = {
      own: rows.map((row, i) => ({ vectors: vectors[i]!, label: hasLabel(row.task) ? rightLabel(row) : null })),
      foreign,
      seed: SEED,
    };
    const model = await inThread<MembershipModel | null>('membership/membership-thread', work, signal);
    if (model === null) return null;
    const pValues = async (texts: readonly string[]): Promise<number[]> =>
      (await embedGroups(this.parts, workspaceId, [texts], signal))[0]!.map(
        (vector) => membershipOf(model, vector).pValue,
      );
    const measuredSets = [];
    for (const { name, texts } of sets) measuredSets.push({ name, pValues: await pValues(texts.filter(isMeasured)) });
    const figures = foreignFiguresOf(await pValues(ownMessages), measuredSets, OWN_REFUSED);
    // Nor may one refuse that is shown to lose more of its own messages than promised.
    const tells =
      figures === null || (figures.foreignAccepted.value <= MOST_ACCEPTED && figures.ownRefused.low <= OWN_REFUSED);
    return { model: tells ? model : null, figures };
  }

  /** Keeps what was learned, or forgets what was learned before where it tells nothing apart. */
  async keep(
    tx: Transaction,
    workspaceId: WorkspaceId,
    adapterVersionId: string,
    model: MembershipModel | null,
  ): Promise<void> {
    const { memberships, registry } = this.parts;
    const digest = embedderDigest(registry.embedder());
    if (model) await memberships.put(tx, { workspaceId, adapterVersionId, embedderDigest: digest }, model);
    else await memberships.forget([adapterVersionId], tx);
  }

  async #foreign(
    workspaceId: WorkspaceId,
    version: AdapterVersionRow,
    ownTexts: ReadonlySet<string>,
  ): Promise<ForeignSet[]> {
    const general = await generalTexts();
    const sets = [
      { name: GENERAL_SET, texts: general },
      ...(await this.#ofOthers(workspaceId, version)),
      { name: 'questions of documents', texts: await this.#ofDocuments(workspaceId, general) },
    ];
    return sets.map(({ name, texts }) => ({ name, texts: texts.filter((text) => !ownTexts.has(text)) }));
  }

  /** Rows of other adapters that learned from other datasets. */
  async #ofOthers(workspaceId: WorkspaceId, { adapterId, datasetVersionId }: AdapterVersionRow): Promise<ForeignSet[]> {
    const { store } = this.parts.adapters;
    const { items } = await store.adapters(workspaceId, null, { first: MOST.adapters, after: null });
    const seenDatasets = new Set([await this.#datasetOf(workspaceId, datasetVersionId)]);
    const sets: ForeignSet[] = [];
    for (const adapter of items.filter(({ id }) => id !== adapterId)) {
      const newest = (await store.versionsOf(workspaceId, [adapter.id])).sort((a, b) => b.version - a.version)[0];
      if (!newest?.datasetVersionId || storedUsage.decode(newest.usage).reads) continue;
      const dataset = await this.#datasetOf(workspaceId, newest.datasetVersionId);
      if (dataset === null || seenDatasets.has(dataset)) continue;
      seenDatasets.add(dataset);
      const rows = (await this.#rows(workspaceId, newest.datasetVersionId, OTHER_ROWS)) ?? [];
      sets.push({ name: `rows of ${adapter.name}`, texts: rows.map(inputText) });
    }
    return sets;
  }

  async #datasetOf(workspaceId: WorkspaceId, versionId: string | null): Promise<string | null> {
    if (versionId === null) return null;
    const [version] = await this.parts.data.store.versionsByIds(workspaceId, [versionId]);
    return version?.datasetId ?? null;
  }

  async #ofDocuments(workspaceId: WorkspaceId, general: readonly string[]): Promise<string[]> {
    const { collections, sight } = await this.parts.collections.scope(workspaceId, null);
    const strange = general.flatMap(wordsOf);
    const random = seededRandom(SEED);
    const questions: string[] = [];
    for (const collection of collections.filter(({ chunks }) => chunks > 0).slice(0, MOST.collections)) {
      const scope = { workspaceId, collections: [collection], groups: EVERYBODY, sight };
      const samples = await makeQuestions(this.parts, scope, { most: QUESTIONS, seed: SEED });
      questions.push(...samples.map(({ question }) => askedLike(question, strange, random)));
    }
    return questions;
  }

  /** Rows for training; null where they are gone. */
  async #rows(workspaceId: WorkspaceId, datasetVersionId: string, limit: number): Promise<TaskRow[] | null> {
    const { data } = this.parts;
    try {
      const { dataset, rowGroups } = await data.datasets.usableVersion(workspaceId, datasetVersionId, 'input');
      const stream = data.rows.stream(dataset.task, rowGroups, { split: Split.TRAIN, quarantined: false });
      return (await sampleRows(stream, limit, SEED)).map(({ content }) => content);
    } catch (error) {
      if (isGraftError(error, 'DATASET_UNUSABLE') || isGraftError(error, 'NOT_FOUND')) return null;
      throw error;
    }
  }
}
