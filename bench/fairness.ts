/**
 * What people wait for a plain question while others ask long ones without a pause, on a home of its own, over HTTP. Long ones
 * are up to 7,800 characters that are a token each: a minute of reading on two cores. Plain ones are asked alone and beside them by turns,
 * one pair after another, so that what else the machine does meets both alike. The claim: none waits two seconds more.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraftClient } from '../src/client/graft-client.js';
import { packageRoot } from '../src/platform/package-root.js';
import { ingestHandbookOver, startProgram } from './support/program.js';
import { describeMachine, median, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const PAIRS = Number(process.env['PAIRS'] ?? 6);
/** Who asks long questions at the same time. */
const ASKERS = 3;
/** Long enough for all of them to be in the worker. */
const SETTLE_MS = 3_000;
const LONGEST = 2_600;
const long = (times: number): object => ({
  question: '&#x'.repeat(times),
  strategy: 'BASE',
  generation: { maxTokens: 16 },
});
const ASK = 'query ($input: AskInput!) { ask(input: $input) { abstained usage { promptTokens generatedTokens } } }';

const questions = JSON.parse(await readFile(join(packageRoot(), 'examples', 'questions.json'), 'utf8')) as {
  question: string;
}[];
const handbook = (n: number): string => questions[n % questions.length]!.question;
const PLAIN: Record<string, (n: number) => object> = {
  'BASE, 32 tokens': (n) => ({
    question: `Name ${n + 2} things that a lighthouse keeper needs.`,
    strategy: 'BASE',
    generation: { maxTokens: 32 },
  }),
  'RAG over the handbook': (n) => ({ question: handbook(n), strategy: 'RAG', reader: false }),
  'AUTO over the handbook, which asks the reader': (n) => ({ question: handbook(n), strategy: 'AUTO' }),
};

const home = await mkdtemp(join(tmpdir(), 'graft-bench-fairness-'));
const program = await startProgram(home, MODEL);
const outcomes: Record<string, number> = {};
/** Shortened until a slow machine, too, takes it on instead of refusing it at once. */
let times = LONGEST;

async function timed(input: object): Promise<number> {
  const began = performance.now();
  await client.request(ASK, { input });
  return performance.now() - began;
}

/** Asks long questions until the function returned is called. */
function attack(): () => Promise<void> {
  const left = new AbortController();
  const asker = async (): Promise<void> => {
    while (!left.signal.aborted) {
      const response = await fetch(`${program.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: ASK, variables: { input: long(times) } }),
        signal: left.signal,
      }).catch(() => null);
      const body = (await response?.json().catch(() => null)) as { errors?: { extensions: { code: string } }[] } | null;
      const outcome = body === null || body === undefined ? 'left' : (body.errors?.[0]?.extensions.code ?? 'answered');
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'QUESTION_TOO_LONG') times = Math.floor(times * 0.8);
      if (outcome !== 'answered') await sleep(200);
    }
  };
  const all = Array.from({ length: ASKERS }, asker);
  return async () => {
    left.abort();
    await Promise.all(all);
  };
}

const client = new GraftClient(program.url);
try {
  await ingestHandbookOver(client);
  const rows = [];
  for (const [name, question] of Object.entries(PLAIN)) {
    const alone: number[] = [];
    const beside: number[] = [];
    await timed(question(PAIRS));
    for (let n = 0; n < PAIRS; n += 1) {
      alone[n] = await timed(question(n));
      const stop = attack();
      await sleep(SETTLE_MS);
      // One that was asked earlier: the model would still hold the prompt of the same one.
      const other = (n + PAIRS - 1) % PAIRS;
      beside[other] = await timed(question(other));
      await stop();
    }
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
    const more = beside.map((ms, n) => ms - alone[n]!);
    rows.push({
      'plain question': name,
      'alone, median': seconds(median(alone)),
      'beside long ones, median': seconds(median(beside)),
      'beside, slowest': seconds(Math.max(...beside)),
      'more than alone, median': seconds(median(more)),
      'more than alone, most': seconds(Math.max(...more)),
      'two seconds at most': more.every((ms) => ms <= 2_000) ? 'yes' : 'no',
    });
  }
  printResult('fairness', {
    machine: describeMachine(),
    rows,
    model: MODEL,
    pairs: PAIRS,
    longQuestions: { askedAtOnce: ASKERS, characters: 3 * times, outcomes },
  });
} finally {
  await program.stop();
  await rm(home, { recursive: true, force: true });
}
