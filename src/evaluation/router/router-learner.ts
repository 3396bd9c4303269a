import { MOST_EXPLORED, type AnswerStore, type RouterRecord, type RouterStore } from '../../ask/index.js';
import type { FeedbackService } from '../../feedback/index.js';
import { badInput, GraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { encodeCursor, MAX_PAGE_SIZE } from '../../kernel/pagination.js';
import { checkedText } from '../../kernel/text.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import { addOffsets, learnOffsets } from './learn-offsets.js';
import { comparePolicies } from './off-policy.js';
import {
  objection,
  present,
  routedChoice,
  routerLearning,
  withOffsets,
  type RoutedChoice,
  type RouterLearningContext,
} from './router-learning.js';
import type { RouterProposalRecord, RouterProposalStore } from './router-proposal-store.js';

export interface RouterLearnerParts {
  runs: RunQueue;
  routers: RouterStore;
  proposals: RouterProposalStore;
  answers: Pick<AnswerStore, 'list'>;
  feedback: Pick<FeedbackService, 'rightness'>;
}

/** The newest answers with feedback that are looked at. */
const MOST_ANSWERS = 50_000;
const MOST_ACTOR = 200;
const MOST_REASON = 1_000;

/** Lets the router learn from what people say of answers, as far as chance has shown it what else would have been right. */
export class RouterLearner {
  constructor(private readonly parts: RouterLearnerParts) {}

  /** @returns the ROUTER_LEARNING run @throws IDEMPOTENCY_CONFLICT */
  start(workspaceId: WorkspaceId, idempotencyKey: string): Promise<RunRow> {
    return this.parts.runs.enqueue(routerLearning, { workspaceId, idempotencyKey, input: {} });
  }

  /** The share of questions that the newest version gives to chance, 0 to 1; null where there is none. */
  async exploration(workspaceId: WorkspaceId): Promise<number | null> {
    return (await this.parts.routers.newest(workspaceId))?.exploration ?? null;
  }

  /** Of how many questions the newest version tries another place; 0 switches it off. @throws BAD_USER_INPUT, NOT_FOUND before there is one */
  async explore(workspaceId: WorkspaceId, share: number): Promise<RouterRecord> {
    if (!(share >= 0 && share <= MOST_EXPLORED))
      throw badInput('input.share', `share must be 0 to ${MOST_EXPLORED}, not ${share}.`);
    const record = await this.parts.routers.setExploration(workspaceId, share);
    if (!record)
      throw new GraftError('NOT_FOUND', 'There is no router yet.', {
        field: 'input',
        hint: 'Make one by `fitRouter`.',
      });
    return record;
  }

  /** The work of a ROUTER_LEARNING run. @throws CONFLICT while there is no router */
  async learn(context: RouterLearningContext) {
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const router = await this.parts.routers.newest(workspaceId);
    if (!router)
      throw new GraftError('CONFLICT', 'There is no router yet.', {
        hint: 'Make one by `fitRouter`, and let it decide.',
      });
    await context.progress(0, 'Answers with feedback are looked at.');
    const choices = await this.#choices(workspaceId, router.version, context.signal);
    // As they come, so that both halves are of the same days.
    const [learned, judged] = [0, 1].map((rest) => choices.filter((_, i) => i % 2 === rest)) as [
      RoutedChoice[],
      RoutedChoice[],
    ];
    const { whole, step } = addOffsets(router.learned.offsets ?? {}, learnOffsets(learned));
    await context.progress(0.8, 'What was learned is judged on the other half of them.');
    const comparison = comparePolicies(
      judged,
      present,
      withOffsets(step),
      1 + (await this.#looks(workspaceId, router)),
    );
    const message = objection(comparison);
    const found = { questions: choices.length, comparison: judged.length === 0 ? null : comparison };
    if (message !== null) return { ...found, proposalId: null, message };
    const evidence = { offsets: whole, learnedFrom: learned.length, comparison };
    const proposalId = await context.fenced((tx) =>
      this.parts.proposals.open(tx, workspaceId, { routerVersion: router.version, evidence }),
    );
    return { ...found, proposalId, message: 'A person decides whether it routes so.' };
  }

  /** How often this version of the router has learned before. */
  async #looks(workspaceId: WorkspaceId, { createdAt }: RouterRecord): Promise<number> {
    const ended = { kind: routerLearning.kind, status: ['SUCCEEDED'] } as const;
    let looks = 0;
    for (let after: string | null = null; ;) {
      const page = await this.parts.runs.list(workspaceId, ended, { first: MAX_PAGE_SIZE, after });
      const since = page.items.filter((run) => run.createdAt > createdAt).length;
      looks += since;
      if (!page.hasNextPage || since < page.items.length) return looks;
      after = encodeCursor([page.items.at(-1)!.id]);
    }
  }

  /** What this version of the router chose by chance, and whether people call that right: what is as likely as not says nothing. */
  async #choices(workspaceId: WorkspaceId, version: number, signal: AbortSignal): Promise<RoutedChoice[]> {
    const { answers, feedback } = this.parts;
    const found: { id: string; choice: RoutedChoice }[] = [];
    for (let after: string | null = null, seen = 0; seen < MOST_ANSWERS;) {
      signal.throwIfAborted();
      const page = await answers.list(workspaceId, { hasFeedback: true }, { first: MAX_PAGE_SIZE, after });
      for (const answer of page.items) {
        const choice = answer.route.router?.version === version ? routedChoice(answer, 0) : null;
        if (choice) found.push({ id: answer.id, choice });
      }
      seen += page.items.length;
      if (!page.hasNextPage) break;
      after = encodeCursor([page.items.at(-1)!.id]);
    }
    const right = await feedback.rightness(
      workspaceId,
      found.map(({ id }) => id),
    );
    return found.flatMap(({ choice }, i) => {
      const probability = right[i] ?? 0.5;
      return probability === 0.5 ? [] : [{ ...choice, reward: probability > 0.5 ? 1 : 0 }];
    });
  }

  /**
   * Approved, the next version of the router routes so from the next question on.
   * @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it was decided before, or the router was fitted anew since
   */
  async decide(
    workspaceId: WorkspaceId,
    id: string,
    { approve, by, reason }: { approve: boolean; by: string; reason: string },
  ): Promise<RouterProposalRecord> {
    const { proposals, routers } = this.parts;
    const decision = {
      decidedBy: checkedText(by, 'input.by', MOST_ACTOR),
      reason: checkedText(reason, 'input.reason', MOST_REASON),
    };
    const ended = await proposals.transaction(async (tx) => {
      const proposal = await proposals.lock(tx, workspaceId, id);
      if (!proposal) throw notFound('The proposal', id, 'input.proposal');
      if (proposal.status !== 'OPEN')
        throw new GraftError('CONFLICT', `The proposal was decided before: ${proposal.status}.`, {
          field: 'input.proposal',
        });
      if (!approve) return proposals.end(tx, id, { ...decision, status: 'REJECTED' });
      const made = await routers.addTo(tx, workspaceId, proposal.routerVersion, proposal.evidence.offsets);
      return proposals.end(tx, id, { ...decision, status: made ? 'APPROVED' : 'WITHDRAWN' });
    });
    if (ended.status === 'WITHDRAWN')
      throw new GraftError('CONFLICT', `Version ${ended.routerVersion} of the router is not the newest any more.`, {
        field: 'input.proposal',
        hint: 'Let the newest one learn: `learnRouter`.',
      });
    return ended;
  }
}
