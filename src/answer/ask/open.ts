import type { OpenData } from '../../sources/data/index.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { Knowledge } from '../../sources/knowledge/index.js';
import type { Platform } from '../../platform/platform.js';
import { inBulk } from '../../platform/worker/index.js';
import type { Registry } from '../../sources/registry/index.js';
import { AnswerResolver, PromptPassageResolver } from './api/answer-graphql.js';
import { RetrievedPassageResolver } from './api/ask-events-graphql.js';
import { AskResolver, registerAnswerNode } from './api/ask-graphql.js';
import { AskService } from './ask-service.js';
import type { AskParts } from './parts.js';
import { AnswerDeletionResolver } from './api/deletion-graphql.js';
import { LabelledNeighbourResolver } from './api/neighbour-graphql.js';
import { quotationResolvers } from './api/quotation-graphql.js';
import { NearestPassageResolver } from './api/route-graphql.js';
import { AnswerStore } from './record/answer-store.js';
import { answerHolder } from './record/erase-answers.js';
import { ExpectedTimes } from './route/expected-times.js';
import { membershipHolder, MembershipStore } from './route/membership/membership-store.js';
import { BaseAnswers } from './route/base-answers.js';
import { RouterStore, sampleHolder } from './route/router/router-store.js';

export const askDomain = defineDomain({
  classes: [
    AskResolver,
    AnswerResolver,
    AnswerDeletionResolver,
    ...quotationResolvers,
    LabelledNeighbourResolver,
    NearestPassageResolver,
    PromptPassageResolver,
    RetrievedPassageResolver,
  ],
  runs: [],
  registerNodes: (nodes: NodeRegistry, { service }: { service: AskService }) => registerAnswerNode(nodes, service),
});

/** Answering. */
export interface OpenAsking {
  readonly asking: AskService;
  /** Asks as `asking` does, behind every question that a person waits for. */
  readonly askingInBulk: AskService;
  readonly answers: AnswerStore;
  readonly routers: RouterStore;
  readonly memberships: MembershipStore;
  /** What each stage of an answer works with. */
  readonly parts: AskParts;
  readonly offer: Offer;
}

export function openAsking(
  platform: Platform,
  lower: { registry: Registry; knowledge: Knowledge; data: OpenData },
): OpenAsking {
  const { registry, adapters } = lower.registry;
  const { collections, documents, labels, retriever } = lower.knowledge;
  const { data } = lower.data;
  const { database, worker, clock, erasure, runs, log } = platform;
  const answers = new AnswerStore(database);
  const routers = new RouterStore(database);
  const memberships = new MembershipStore(database);
  const baseAnswers = new BaseAnswers(database);
  erasure.addHolder(answerHolder(database, answers));
  erasure.addHolder(sampleHolder(routers));
  erasure.addHolder(membershipHolder(memberships));
  const parts: AskParts = {
    registry,
    adapters,
    retriever,
    worker,
    answers,
    routers,
    memberships,
    baseAnswers,
    clock,
    log: log.child({ part: 'ask' }),
    expected: new ExpectedTimes(),
    features: data.features,
    labelIndexes: data.labelIndexes,
    origins: data.raft,
  };
  const asking = new AskService(parts);
  return {
    asking,
    answers,
    routers,
    memberships,
    parts,
    // Its times are those of work that waits, so it keeps its own.
    askingInBulk: new AskService({ ...parts, worker: inBulk(worker), expected: new ExpectedTimes() }),
    offer: offer(askDomain, runs, {
      service: asking,
      baseAnswers,
      stores: { collections, documents, labels },
      registry,
      data,
    }),
  };
}
