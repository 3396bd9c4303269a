import type { FeatureService, LabelIndexes, RaftMaker } from '../../sources/data/index.js';
import type { Clock } from '../../kernel/clock.js';
import type { Groups } from '../../kernel/caller.js';
import type { Uuid, WorkspaceId } from '../../kernel/ids.js';
import type { Retriever } from '../../sources/knowledge/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { AdapterRegistry, ModelRegistry } from '../../sources/registry/index.js';
import type { AnswerStore } from './record/answer-store.js';
import type { ExpectedTimes } from './route/expected-times.js';
import type { MembershipStore } from './route/membership/membership-store.js';
import type { BaseAnswers } from './route/base-answers.js';
import type { RouterStore } from './route/router/router-store.js';
import type { Stopwatch } from './stopwatch.js';

/** What answering works with. */
export interface AskParts {
  registry: Pick<ModelRegistry, 'resolve' | 'variant' | 'embedder' | 'embedderLanguages' | 'measuredWording'>;
  adapters: Pick<AdapterRegistry, 'resolve'>;
  retriever: Pick<Retriever, 'embed' | 'scope' | 'retrieve' | 'termWeights'>;
  worker: Pick<WorkerClient, 'embed' | 'generate' | 'scoreNext' | 'countTokens' | 'status'>;
  answers: AnswerStore;
  features: Pick<FeatureService, 'read'>;
  labelIndexes: Pick<LabelIndexes, 'require' | 'find' | 'nearest' | 'store'>;
  routers: Pick<RouterStore, 'current'>;
  memberships: Pick<MembershipStore, 'of'>;
  baseAnswers: Pick<BaseAnswers, 'allowed'>;
  origins: Pick<RaftMaker, 'originOf'>;
  expected: ExpectedTimes;
  clock: Clock;
  log: Logger;
}

/** What every stage of one answer works with: the parts, whose question it is, what times the stage and what stops it. */
export interface Work extends AskParts {
  workspaceId: WorkspaceId;
  /** Whose documents may be read. */
  groups: Groups;
  /** `lineId` of the API key that asks; null where a request needs no key. */
  askedBy: Uuid | null;
  watch: Stopwatch;
  signal: AbortSignal;
}
