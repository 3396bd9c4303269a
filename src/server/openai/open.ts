import type { Access } from '../../operate/access/index.js';
import { AnswerStore, AskService, type OpenAsking } from '../../answer/ask/index.js';
import type { Knowledge } from '../../sources/knowledge/index.js';
import type { Platform } from '../../platform/platform.js';
import { ModelStore, type Registry } from '../../sources/registry/index.js';
import type { OpenTuning } from '../../ship/tuning/index.js';
import { ResponseStore } from './responses/store.js';
import type { OpenAiParts } from './routes.js';
import { StoreRows } from './vector-stores/rows.js';

/** Where nothing of an answer is to be kept: what has no request id is written once, at its end. */
class UnkeptAnswers extends AnswerStore {
  override add(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the endpoint takes of the domains. */
export const openAiParts = (
  { worker, database, runs, files, erasure, config }: Platform,
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
