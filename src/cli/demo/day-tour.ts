import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import {
  AdapterDocument,
  AlertsDocument,
  AskWithAdapterDocument,
  ClaimReviewDocument,
  DecideProposalDocument,
  ImprovementDocument,
  ImprovementsDocument,
  SetAlertRuleDocument,
  SetRetrainingPolicyDocument,
  StartImprovementDocument,
  SubmitFeedbackBatchDocument,
  SubmitReviewDocument,
  type ImprovementQuery,
  type SubmitFeedbackInput,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { pollUntil } from './poll-until.js';
import { bold, dim, green, heading, line, wrap, yellow } from './print.js';
import type { Trained } from './proof-tour.js';

const RULE = 'messages go to the right desk';
/** A desk that is right less often than this is no help; an alert of that without a cause comes once in so many messages at most. */
const THRESHOLD = 0.6;
const MESSAGES_PER_FALSE_ALERT = 500;
/** Fewer of the day's messages than this don't show what labels mean now. */
const LEAST_ROWS = 60;
const AT_ONCE = 4;
/** The alert comes with the next look at feedback, the policy looks once a minute. */
const ALERT_MS = 20_000;
const POLICY_MS = 150_000;
/** Beside other work it took fourteen minutes on two cores. */
const LOOP_MS = 40 * 60_000;

interface Message {
  part: 'MORNING' | 'AFTERNOON' | 'NEXT_MORNING';
  at: string;
  text: string;
  /** What is right to say to it then. */
  label: string;
}

type Improvement = NonNullable<ImprovementQuery['improvement']>;

/**
 * A day of customer messages, in which the meaning of two labels is exchanged at noon: the loop notices, learns it and proposes what it learned.
 * @returns what answers afterwards
 */
export async function dayTour(client: GraftClient, examples: string, first: Trained): Promise<Trained> {
  heading('A day of customer messages: at noon two desks exchange their queues', 8);
  try {
    return await replay(client, examples, first);
  } catch (error) {
    // What follows needs none of it.
    line(yellow(`The day ends here: ${error instanceof Error ? error.message : String(error)}`));
    return first;
  }
}

async function replay(client: GraftClient, examples: string, first: Trained): Promise<Trained> {
  if (!(await fit(client, first))) return first;
  const messages = readFileSync(join(examples, 'a-day.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Message);
  const during = (part: Message['part']): Message[] => messages.filter((message) => message.part === part);
  const { adapter } = first;
  await watch(client, adapter);

  line(await say(client, adapter, 'In the morning', during('MORNING')));
  line(dim('  At noon what went to order_delivery goes to api_integration, and the other way round.'));
  line(await say(client, adapter, 'From noon on', during('AFTERNOON')));
  const improvement = await learn(client, adapter);
  if (improvement === null) return first;
  tell(improvement);
  const approved = await approve(client, adapter, improvement);
  if (approved === null) return first;
  const next = during('NEXT_MORNING');
  const { right } = await ask(client, adapter, next);
  line(`The next morning ${bold(`${right} of ${next.length}`)} messages to the two desks go to the right one.`);
  return approved;
}

/** Whether the trained version answers, and the day is a new one to this home. */
async function fit(client: GraftClient, { adapter, version }: Trained): Promise<boolean> {
  const { adapter: record } = await client.request(AdapterDocument, { name: adapter });
  const production = record?.versions.find(({ aliases }) => aliases.includes('PRODUCTION'))?.version;
  const { improvements } = await client.request(ImprovementsDocument, { adapter, first: 1 });
  const previousImprovement = improvements.edges[0]?.node;
  if (previousImprovement)
    line(`The day was replayed in this home before: it ended ${previousImprovement.outcome ?? 'not yet'}.`);
  else if (production !== version) line(`${adapter}@${version} is not in production, so nobody is answered by it.`);
  return !previousImprovement && production === version;
}

/** What looks after the adapter from now on: an alert for what people say of it, and a policy that learns from it. */
async function watch(client: GraftClient, adapter: string): Promise<void> {
  await client.request(SetAlertRuleDocument, {
    input: {
      name: RULE,
      metric: 'ACCURACY',
      side: 'BELOW',
      threshold: THRESHOLD,
      answersPerFalseAlert: MESSAGES_PER_FALSE_ALERT,
      where: { adapter },
    },
  });
  await client.request(SetRetrainingPolicyDocument, {
    input: {
      adapter,
      onAlert: true,
      newRows: null,
      leastRows: LEAST_ROWS,
      trainFrom: 'BASE',
      rollout: null,
      by: 'npm run demo',
    },
  });
}

/** Customers ask, and at each desk somebody says what is right. @returns how that went, in a line */
async function say(
  client: GraftClient,
  adapter: string,
  period: string,
  messages: readonly Message[],
): Promise<string> {
  const { right, feedback } = await ask(client, adapter, messages);
  await client.request(SubmitFeedbackBatchDocument, { input: { feedback } });
  return `${period} ${bold(`${right} of ${messages.length}`)} messages go to the right desk.`;
}

async function ask(
  client: GraftClient,
  adapter: string,
  messages: readonly Message[],
): Promise<{ right: number; feedback: SubmitFeedbackInput[] }> {
  const source = { kind: 'HUMAN', name: 'desk' } as const;
  const feedback: SubmitFeedbackInput[] = [];
  let right = 0;
  const bar = new SingleBar(
    { format: '{bar} {at}  {value}/{total} messages', hideCursor: true, clearOnComplete: true, noTTYOutput: false },
    Presets.shades_classic,
  );
  bar.start(messages.length, 0, { at: messages[0]?.at ?? '' });
  for (let from = 0; from < messages.length; from += AT_ONCE) {
    const batch = messages.slice(from, from + AT_ONCE);
    const answers = await Promise.all(
      batch.map(({ text }) => client.request(AskWithAdapterDocument, { question: text, adapter })),
    );
    answers.forEach(({ ask: { id: answer, text } }, i) => {
      const { label } = batch[i]!;
      if (text === label) right += 1;
      feedback.push(
        text === label
          ? { answer, source, kind: 'FEEDBACK', score: 1 }
          : { answer, source, kind: 'EXPECTATION', expectation: { label } },
      );
    });
    bar.update(from + batch.length, { at: batch.at(-1)!.at });
  }
  bar.stop();
  return { right, feedback };
}

/** The alert, and what the policy makes of it, to its end; a person begins where nothing else does. */
async function learn(client: GraftClient, adapter: string): Promise<Improvement | null> {
  const alert = await pollUntil(ALERT_MS, async () => {
    const { alerts } = await client.request(AlertsDocument, { open: true, first: 20 });
    return alerts.edges.find(({ node }) => node.rule?.name === RULE)?.node ?? null;
  });
  if (alert) line(`${yellow('! an alert is raised:')} ${wrap(alert.sentence, '  ').trim()}`);
  else line(yellow('No alert was raised: on so few messages the change can’t be told from chance.'));
  const started = Date.now();
  const id = (alert && (await begun(client, adapter))) ?? (await begin(client, adapter));
  let lastNotice = '';
  const finishedImprovement = await pollUntil(LOOP_MS, async () => {
    const { improvement } = await client.request(ImprovementDocument, { id });
    if (!improvement || improvement.outcome !== null) return improvement ?? null;
    await confirmMoves(client);
    const now = improvement.waitingFor ?? '';
    if (now !== lastNotice && now !== '') line(dim(`  ${wrap((lastNotice = now), '  ').trim()}`));
    return null;
  });
  if (!finishedImprovement) {
    line(yellow('It takes longer than the tour waits. It goes on: see Improvements in the console.'));
    return null;
  }
  line(dim(`  ${Math.round((Date.now() - started) / 1_000)} s from the alert to its end`));
  return finishedImprovement;
}

/** Labels move only where a person confirms it: here one who knows that the desks have exchanged their queues. */
async function confirmMoves(client: GraftClient): Promise<void> {
  const reviewer = 'npm run demo';
  const { claimReview } = await client.request(ClaimReviewDocument, {
    input: { reviewer, reason: 'LABEL_MOVED' },
    reviewer,
  });
  if (!claimReview.item) return;
  const { id: item, moves } = claimReview.item;
  await client.request(SubmitReviewDocument, { input: { item, reviewer, confirmed: true } });
  for (const { from, to, lessons, contrary } of moves)
    line(
      `${green('✓')} a person confirms: ${from} means ${to ?? 'nothing in particular'} now, as ${contrary} of ${lessons} lessons say`,
    );
}

/** What the policy began by itself; null where it began nothing in time. */
async function begun(client: GraftClient, adapter: string): Promise<string | null> {
  line(dim('  The policy looks once a minute.'));
  return pollUntil(POLICY_MS, async () => {
    const { improvements } = await client.request(ImprovementsDocument, { adapter, first: 1 });
    const newest = improvements.edges[0]?.node;
    if (newest) line(`${green('✓')} the policy begins, by ${newest.trigger.toLowerCase().replaceAll('_', ' ')}`);
    return newest?.id ?? null;
  });
}

async function begin(client: GraftClient, adapter: string): Promise<string> {
  const reason = 'Two desks have exchanged their queues.';
  const { startImprovement } = await client.request(StartImprovementDocument, {
    input: { adapter, reason, by: 'npm run demo', idempotencyKey: `demo-${Date.now()}` },
  });
  line(`${green('✓')} a person begins: ${reason}`);
  return startImprovement.improvement.id;
}

function tell({ outcome, message, datasetVersion, adapterVersion, cost }: Improvement): void {
  if (datasetVersion)
    line(`${green('✓')} ${cost.newRows} rows of what the desks said: version ${datasetVersion.version} of the dataset`);
  if (adapterVersion)
    line(
      `${green('✓')} version ${adapterVersion.version} learned them in ${Math.round(cost.trainingSeconds)} s, ` +
        `and was shown to act and measured in ${Math.round(cost.evaluationSeconds)} s`,
    );
  if (outcome !== 'PROPOSED') line(`${yellow(`It ended ${(outcome ?? '').toLowerCase()}:`)}\n${wrap(message, '  ')}`);
}

/** The last decision that is a person's. */
async function approve(client: GraftClient, adapter: string, improvement: Improvement): Promise<Trained | null> {
  const { proposal, adapterVersion, datasetVersion } = improvement;
  if (!proposal || !adapterVersion || !datasetVersion) return null;
  const { decideProposal } = await client.request(DecideProposalDocument, {
    input: {
      proposal: proposal.id,
      approve: true,
      by: 'npm run demo',
      reason: 'It knows what the desks do now, and has forgotten nothing else.',
    },
  });
  const { status } = decideProposal.proposal;
  line(`${green('✓')} the gate let it through, and its proposal was ${status.toLowerCase()}`);
  return status === 'APPROVED' ? { adapter, version: adapterVersion.version, datasetVersion: datasetVersion.id } : null;
}
