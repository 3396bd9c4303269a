import { setTimeout as sleep } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import {
  AdapterDocument,
  AskAsUnitDocument,
  DecideProposalDocument,
  ProposalsDocument,
  RolloutDocument,
  ShadowDocument,
  StartRolloutDocument,
  StartShadowDocument,
  StartTrainingDocument,
  StopShadowDocument,
  SubmitFeedbackDocument,
  TestRowsDocument,
  TrainingProgressDocument,
  type RolloutQuery,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { attest, evaluate, promote, type Trained } from './proof-tour.js';
import { bold, dim, green, heading, line, yellow } from './print.js';
import { percent } from '../../kernel/text.js';

const DATASET = 'messages';
/** Few questions are enough for steps so large; a rollout for users begins with one in a hundred. */
const STEPS = [
  { share: 0.25, leastAnswers: 12, leastMinutes: 0 },
  { share: 0.5, leastAnswers: 12, leastMinutes: 0 },
  { share: 0.9, leastAnswers: 12, leastMinutes: 0 },
];
const AT_ONCE = 2;
const LOOK_MS = 100;
/** Questions that the candidate answers unseen, and how many are asked for it at most. */
const UNSEEN = 12;
const MOST_UNSEEN = 60;
/** So many questions would bring any candidate that isn’t taken back to the last step. */
const MOST_QUESTIONS = 400;

type Rollout = NonNullable<RolloutQuery['rollout']>;

/** A message that somebody writes, and what is right to say to it. */
interface Message {
  text: string;
  label: string;
}

/** A second version goes to users step by step beside the first, until a person’s approval makes it production. */
export async function rolloutTour(client: GraftClient, first: Trained): Promise<void> {
  heading('A second version goes to users, step by step');
  if (!(await answers(client, first))) return;
  const second = await trainOn(client, first);
  await attest(client, second);
  await evaluate(client, second, first.version);
  // On some fifty test rows an interval is more than ten points wide to each side: what is asked here is that it isn’t far worse. Users decide.
  const bounds = { leastGain: -0.25 };
  if (!(await promote(client, second, ['CANDIDATE'], bounds))) return;
  const messages = await messagesOf(client);
  const shadow = await unseen(client, second, messages);
  const rollout = await canary(client, second, messages, shadow);
  tell(rollout);
  if (rollout.awaitsApproval) await approve(client, second);
}

/** Whether the first version is what users are answered by, so that there is something to compare with. */
async function answers(client: GraftClient, { adapter, version }: Trained): Promise<boolean> {
  const { adapter: record } = await client.request(AdapterDocument, { name: adapter });
  const production = record?.versions.find(({ aliases }) => aliases.includes('PRODUCTION'))?.version;
  if (production === version) return true;
  line(
    production === undefined ? 'No version is in production yet.' : `${adapter}@${production} was delivered before.`,
  );
  return false;
}

/** Goes on from the first version for some steps more. */
async function trainOn(client: GraftClient, { adapter, version, datasetVersion }: Trained): Promise<Trained> {
  const { startTraining } = await client.request(StartTrainingDocument, {
    input: {
      adapter,
      datasetVersion,
      parent: `${adapter}@${version}`,
      idempotencyKey: `demo-${datasetVersion}-next`,
      recipe: { epochs: 0.25, batchExamples: 4, learningRate: 0.0002, retention: { weight: 3, tokens: 32 } },
    },
  });
  const runId = startTraining.run.id;
  const bar = progress('{bar} step {value}/{total}');
  for await (const { trainingProgress: event } of client.subscribe(TrainingProgressDocument, { runId })) {
    if (event.error) throw new Error(event.error.message);
    if (event.__typename !== 'TrainingStepped') continue;
    bar.setTotal(event.steps);
    bar.update(event.step);
  }
  bar.stop();
  const { adapter: record } = await client.request(AdapterDocument, { name: adapter });
  const next = record!.versions[0]!.version;
  line(`${green('✓')} ${adapter}@${next} was trained on from ${adapter}@${version}`);
  return { adapter, version: next, datasetVersion };
}

/** What simulated users write: test rows, which no version was trained on. */
async function messagesOf(client: GraftClient): Promise<Message[]> {
  const { dataset } = await client.request(TestRowsDocument, { dataset: DATASET });
  return (dataset?.latestVersion?.rows.edges ?? []).flatMap(({ node }) =>
    node.content?.__typename === 'ClassificationContent' ? [node.content] : [],
  );
}

/**
 * Users are answered by the first version, and the second says unseen what it would have said.
 * @returns id of the shadow; null where it didn’t get to its end
 */
async function unseen(
  client: GraftClient,
  { adapter, version }: Trained,
  messages: readonly Message[],
): Promise<string | null> {
  const { startShadow } = await client.request(StartShadowDocument, {
    input: {
      adapter,
      candidate: version,
      share: 1,
      mostPerHour: MOST_UNSEEN,
      leastAnswers: UNSEEN,
      reason: 'Before a user meets it.',
      by: 'npm run demo',
      idempotencyKey: `demo-${Date.now()}`,
    },
  });
  const { id } = startShadow.shadow;
  const read = async () => (await client.request(ShadowDocument, { id })).shadow!;
  const bar = progress('{bar} {asked} questions, the candidate answers unseen');
  bar.setTotal(UNSEEN);
  let shadow = await read();
  for (let askedCount = 0; shadow.status === 'RUNNING' && askedCount < MOST_UNSEEN; askedCount++) {
    await ask(client, adapter, messages[askedCount % messages.length]!, askedCount);
    shadow = await read();
    // It answers when nobody waits: users who have been served leave it the moment that it needs.
    while (shadow.status === 'RUNNING' && shadow.report.waiting > 0) {
      await sleep(LOOK_MS);
      shadow = await read();
    }
    bar.update(shadow.report.answered, { asked: askedCount + 1 });
  }
  bar.stop();
  line(`${shadow.status === 'COMPLETE' ? green('✓') : yellow('!')} ${shadow.report.sentence}`);
  if (shadow.status === 'COMPLETE') return id;
  if (shadow.status === 'RUNNING')
    await client.request(StopShadowDocument, {
      input: { shadow: id, reason: 'The tour goes on.', by: 'npm run demo' },
    });
  return null;
}

/** Simulated users ask and judge, each as one of many, until the rollout waits for a person or has ended. */
async function canary(
  client: GraftClient,
  { adapter, version }: Trained,
  messages: readonly Message[],
  shadow: string | null,
): Promise<Rollout> {
  const { startRollout } = await client.request(StartRolloutDocument, {
    input: {
      adapter,
      candidate: version,
      reason: 'It passed the gate.',
      by: 'npm run demo',
      shadow,
      advanced: {
        steps: STEPS,
        guardrails: (['FAILURE', 'ABSTENTION', 'FEEDBACK'] as const).map((metric) => ({ metric })),
      },
      idempotencyKey: `demo-${Date.now()}`,
    },
  });
  const { id } = startRollout.rollout;
  const read = async (): Promise<Rollout> => (await client.request(RolloutDocument, { id })).rollout!;
  let rollout = await read();
  let askedCount = 0;
  const bar = progress('{bar} {asked} questions, the candidate answers {share} %');
  const show = () => {
    const { steps, current, candidateAnswers } = rollout;
    const answerCount = current * STEPS[0]!.leastAnswers + Math.min(candidateAnswers, STEPS[0]!.leastAnswers);
    bar.update(answerCount, { asked: askedCount, share: Math.round(100 * (steps[current]?.share ?? 0)) });
  };
  bar.setTotal(STEPS.length * STEPS[0]!.leastAnswers);
  while (rollout.finishedAt === null && !rollout.awaitsApproval && askedCount < MOST_QUESTIONS) {
    const turn = Array.from({ length: AT_ONCE }, (_, i) =>
      ask(client, adapter, messages[(askedCount + i) % messages.length]!, askedCount + i),
    );
    await Promise.all(turn);
    askedCount += AT_ONCE;
    rollout = await read();
    show();
  }
  bar.stop();
  return rollout;
}

async function ask(client: GraftClient, adapter: string, { text, label }: Message, n: number): Promise<void> {
  const unit = `user ${n}`;
  const { ask: answer } = await client.request(AskAsUnitDocument, { question: text, adapter, unit });
  const score = answer.text === label ? 1 : -1;
  await client.request(SubmitFeedbackDocument, {
    input: { answer: answer.id, score, source: { kind: 'HUMAN', name: unit } },
  });
}

function tell({ decisions, guardrails }: Rollout): void {
  for (const { node } of decisions.edges)
    line(`  ${bold(node.action.toLowerCase().replaceAll('_', ' '))} ${dim(node.reasons.join(' '))}`);
  for (const { metric, candidate, control, difference } of guardrails)
    if (candidate.value !== null && control.value !== null)
      line(
        dim(
          `  ${metric}: ${percent(candidate.value)} of ${candidate.answers} good, ${percent(control.value)} of ${control.answers} controls` +
            (difference ? ` (${points(difference.low)} to ${points(difference.high)} points)` : ''),
        ),
      );
}

async function approve(client: GraftClient, { adapter, version }: Trained): Promise<void> {
  const { proposals } = await client.request(ProposalsDocument, { status: 'OPEN', adapter });
  const proposal = proposals.edges[0]?.node;
  if (!proposal) return line(yellow('No proposal is open.'));
  const { decideProposal } = await client.request(DecideProposalDocument, {
    input: { proposal: proposal.id, approve: true, by: 'npm run demo', reason: 'A person looked at its evidence.' },
  });
  line(
    `${green('✓')} its proposal was ${decideProposal.proposal.status.toLowerCase()}: ${adapter}@${version} is production now`,
  );
}

const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(0)}`;

/** A bar that is drawn on terminals only. */
function progress(format: string): SingleBar {
  const bar = new SingleBar({ format, hideCursor: true, noTTYOutput: false }, Presets.shades_classic);
  bar.start(1, 0, { asked: 0, share: 0 });
  return bar;
}
