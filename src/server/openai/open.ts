import type { Access } from '../../operate/access/index.js';
import { AnswerStore, AskService, type OpenAsking } from '../../answer/ask/index.js';
import type { Knowledge } from '../../sources/knowledge/index.js';
import type { Platform } from '../../platform/platform.js';
import { ModelStore, type Registry } from '../../sources/registry/index.js';
import type { OpenTuning } from '../../ship/tuning/index.js';
import { HOUR_MS } from '../../kernel/duration.js';
import type { Chore } from '../../platform/chores.js';
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

/** What the endpoint takes of the domains. */
export const openAiParts = (
  platform: Platform,
  {
    access,
    registry,
    knowledge,
    ask,
    tuning,
  }: {
    access: Pick<Access, 'hooks'>;
    registry: Registry;
    knowledge: Knowledge;
    ask: Pick<OpenAsking, 'asking' | 'parts'>;
    tuning: OpenTuning;
  },
): OpenAiParts => {
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
};

export const openAiChores = (platform: Platform): Chore[] => [
  { name: 'parts of uploads that have ended', everyMs: HOUR_MS, work: () => new UploadStore(platform).clearEnded() },
];
