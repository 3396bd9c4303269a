import type { Access } from '../../operate/access/index.js';
import { AnswerStore, AskService, type OpenAsking } from '../../answer/ask/index.js';
import type { Knowledge } from '../../sources/knowledge/index.js';
import type { Platform } from '../../platform/platform.js';
import { ModelStore, type Registry } from '../../sources/registry/index.js';
import type { OpenTuning } from '../../ship/tuning/index.js';
import { HOUR_MS } from '../../kernel/duration.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import { runGraph } from '../../kit/graphql/index.js';
import { mapDatabaseError } from '../../platform/database/index.js';
import { ErrorPresenter } from '../graphql/errors.js';
import { answerBatch, type AnswerBatchParts } from './batches/answer-batch.js';
import { batch } from './batches/batch-run.js';
import { BatchStore } from './batches/store.js';
import { ResponseStore } from './responses/store.js';
import type { OpenAiParts } from './routes.js';
import { UploadStore } from './uploads/store.js';
import { StoreRows } from './vector-stores/rows.js';

/** Where nothing of an answer is to be kept: what has no request id is written once, at its end. */
class UnkeptAnswers extends AnswerStore {
  override add(): Promise<void> {
    return Promise.resolve();
  }
}

export const openAiDomain = defineDomain({
  classes: [],
  runs: [
    runGraph(batch.handledBy((parts: { batching: AnswerBatchParts }, context) => answerBatch(parts.batching, context))),
  ],
});

/** What answers as OpenAI's addresses do. */
export interface OpenOpenAi {
  readonly parts: OpenAiParts;
  readonly offer: Offer;
}

export function openOpenAi(
  platform: Platform,
  lower: {
    access: Pick<Access, 'hooks'>;
    registry: Registry;
    knowledge: Knowledge;
    ask: Pick<OpenAsking, 'asking' | 'parts'>;
    tuning: OpenTuning;
  },
): OpenOpenAi {
  const parts = partsOf(platform, lower);
  const { runs, clock, log } = platform;
  const presenter = new ErrorPresenter(log.child({ part: 'batches' }), mapDatabaseError);
  const chores = [
    {
      name: 'parts of uploads that have ended',
      everyMs: HOUR_MS,
      work: () => parts.uploads.clearEnded(),
    },
    { name: 'answers of batches that were cancelled', everyMs: 5_000, work: () => parts.batches.collectEnded() },
  ];
  return { parts, offer: offer(openAiDomain, runs, { batching: { ...parts, presenter, clock } }, { chores }) };
}

function partsOf(
  platform: Platform,
  { access, registry, knowledge, ask, tuning }: Parameters<typeof openOpenAi>[1],
): OpenAiParts {
  const { worker, database, runs, files, erasure, config } = platform;
  const responses = new ResponseStore(database);
  ask.parts.answers.onFollowing((tx, ids) => responses.followersOf(tx, ids));
  ask.parts.answers.onErasure((tx, erased) => responses.erase(tx, erased));
  return {
    worker,
    registry: registry.registry,
    asking: ask.asking,
    unkept: new AskService({ ...ask.parts, answers: new UnkeptAnswers(database) }),
    responses,
    paying: access.hooks,
    noting: access.hooks,
    tuning: tuning.tuning,
    runs,
    files,
    erasure,
    knowledge,
    stores: new StoreRows(database),
    uploads: new UploadStore(platform),
    batches: new BatchStore(platform),
    adapters: registry.adapters,
    maxUploadBytes: config.GRAFT_MAX_UPLOAD_BYTES,
    table: config.GRAFT_OPENAI_MODELS,
    names: {
      collections: knowledge.collections,
      adapters: registry.adapters.store,
      models: new ModelStore(database),
      table: config.GRAFT_OPENAI_MODELS,
    },
  };
}
