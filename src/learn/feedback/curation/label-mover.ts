import type { Data } from '../../../sources/data/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import type { MoveDecision, ReviewStore } from '../review/review-store.js';
import type { CurationCounts, CurationOutput } from './curation-run.js';
import { movedLabels, movesTogether, type LabelMoves } from './moved-labels.js';
import { revisedSince } from './revised-since.js';
import type { Contrast, HeldOut } from './usual-errors.js';

/** What a lesson says of a label, and the answer that it is about. */
export type AnswerContrast = Contrast & { answerId: string };

/** What became of labels that have moved by their lessons. */
export type Moves = Pick<CurationCounts, keyof LabelMoves | 'proposed' | 'movedItems' | 'proposedItems'>;

/** An adapter version and the dataset version that it learned from. */
interface Learned {
  adapterVersionId: string;
  datasetVersionId: string;
}

/** How adapter versions answered held-out rows of the dataset version that they learned from, by adapter version; those never asked are missing. */
type AskHeldOut = (
  workspaceId: WorkspaceId,
  learned: readonly Learned[],
) => Promise<ReadonlyMap<string, readonly HeldOut[]>>;

export interface LabelMoverParts {
  data: Pick<Data, 'store'>;
  adapters: Pick<AdapterRegistry, 'store'>;
  reviews: Pick<ReviewStore, 'askOfMoves' | 'movesDecided'>;
}

/** Finds labels that mean something else now, and asks a person before their rows go along. */
export class LabelMover {
  #heldOut: AskHeldOut = () => Promise.resolve(new Map());

  constructor(private readonly parts: LabelMoverParts) {}

  /** For whoever measures adapters: what lessons say is held against it. */
  useHeldOut(ask: AskHeldOut): void {
    this.#heldOut = ask;
  }

  /** By the contrasts that speak of rows as the latest version has them: of answers by an adapter that learned from these very rows. */
  async find(
    workspaceId: WorkspaceId,
    latest: Parameters<typeof revisedSince>[1],
    contrasts: readonly Contrast[],
  ): Promise<LabelMoves> {
    const { adapters, data } = this.parts;
    const ids = [...new Set(contrasts.map(({ adapterVersionId }) => adapterVersionId))];
    const versions = await adapters.store.versionsById(workspaceId, ids);
    const origins = versions.flatMap(({ id, datasetVersionId }): Learned[] =>
      datasetVersionId === null ? [] : [{ adapterVersionId: id, datasetVersionId }],
    );
    const learnedFrom = new Map(origins.map((origin) => [origin.adapterVersionId, origin.datasetVersionId]));
    const revised = await revisedSince(data.store, latest, new Set(learnedFrom.values()));
    const current = contrasts.filter(({ adapterVersionId, answered }) => {
      const revisedLabels = revised.get(learnedFrom.get(adapterVersionId) ?? '');
      return revisedLabels !== undefined && !revisedLabels.has(answered);
    });
    const contrasted = new Set(current.map(({ adapterVersionId }) => adapterVersionId));
    const contrastedOrigins = origins.filter(({ adapterVersionId }) => contrasted.has(adapterVersionId));
    return movedLabels(current, await this.#heldOut(workspaceId, contrastedOrigins));
  }

  /**
   * Splits labels that have moved into those of which a person confirmed it and those of which one is asked now. Lessons alone move none:
   * one source with four or five false ones each way makes two labels change places, in the rows for testing too.
   */
  async confirmed(
    tx: Transaction,
    { workspaceId, datasetId }: { workspaceId: WorkspaceId; datasetId: string },
    { moved, undecided }: LabelMoves,
    contrasts: readonly AnswerContrast[],
  ): Promise<Moves> {
    const decided: Moves = { moved: [], undecided, proposed: [], movedItems: [], proposedItems: [] };
    for (const moves of movesTogether(moved)) {
      const labels = new Set(moves.map(({ from }) => from));
      const evidence = contrasts.find(({ answered, right }) => answered !== right && labels.has(answered));
      const question = { datasetId, answerId: evidence!.answerId, moves };
      const { id, confirmed } = await this.parts.reviews.askOfMoves(tx, workspaceId, question);
      if (id === null || confirmed === false) continue;
      decided[confirmed ? 'moved' : 'proposed'].push(...moves);
      decided[confirmed ? 'movedItems' : 'proposedItems'].push(id);
    }
    return decided;
  }

  /** What a person said of the labels that a run proposed to move; of those whose question is gone nothing. */
  decisions(workspaceId: WorkspaceId, { proposedItems }: CurationOutput): Promise<MoveDecision[]> {
    return this.parts.reviews.movesDecided(workspaceId, proposedItems);
  }
}
