/**
 * Questions over the handbook by HTTP, first by as many people as are let in, each of whom asks again as soon as there is an answer, then five times
 * as many questions a second as were answered, for OVERLOAD_SECONDS. The claims: refusals come within 50 ms, who is let in waits no more than
 * 1.5 times as long as at capacity (p95), and nobody is told anything but OVERLOADED.
 *
 *   npm run bench -- overload   (CAPACITY_SECONDS=60 OVERLOAD_SECONDS=120)
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraftClient } from '../src/client/graft-client.js';
import { packageRoot } from '../src/platform/package-root.js';
import { quantile } from './support/logistic.js';
import { ingestHandbookOver, startProgram } from './support/program.js';
import { describeMachine, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const CAPACITY_MS = Number(process.env['CAPACITY_SECONDS'] ?? 60) * 1_000;
const OVERLOAD_MS = Number(process.env['OVERLOAD_SECONDS'] ?? 120) * 1_000;
const TIMES = 5;
/** One more person comes so often, until one is refused. */
const JOIN_MS = 700;
const ASK = 'query ($input: AskInput!) { ask(input: $input) { id } }';

interface Outcome {
  code: string;
  ms: number;
  retryAfterMs: number;
}

const questions = JSON.parse(await readFile(join(packageRoot(), 'examples', 'questions.json'), 'utf8')) as {
  question: string;
}[];
const home = await mkdtemp(join(tmpdir(), 'graft-bench-overload-'));
const program = await startProgram(home, MODEL);
let asked = 0;

async function ask(): Promise<Outcome> {
  const { question } = questions[asked++ % questions.length]!;
  const body = JSON.stringify({ query: ASK, variables: { input: { question, strategy: 'RAG', reader: false } } });
  const began = performance.now();
  const response = await fetch(`${program.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { errors } = (await response.json()) as {
    errors?: { extensions: { code: string; retryAfterMs?: number } }[];
  };
  const ms = performance.now() - began;
  const { code = 'answered', retryAfterMs = 0 } = errors?.[0]?.extensions ?? {};
  return { code, ms, retryAfterMs };
}

/** People who ask again and again until they are told to leave. */
class People {
  readonly outcomes: Outcome[] = [];
  readonly #asking: Promise<void>[] = [];
  #left = false;

  get many(): number {
    return this.#asking.length;
  }

  join(): void {
    this.#asking.push(this.#ask());
  }

  async leave(): Promise<void> {
    this.#left = true;
    await Promise.all(this.#asking);
  }

  async #ask(): Promise<void> {
    while (!this.#left) {
      const outcome = await ask();
      this.outcomes.push(outcome);
      if (outcome.retryAfterMs > 0) await sleep(outcome.retryAfterMs);
    }
  }
}

function row(load: string, outcomes: readonly Outcome[]) {
  const of = (code: string) => outcomes.filter((outcome) => outcome.code === code).map(({ ms }) => ms);
  const [answered, refused] = [of('answered'), of('OVERLOADED')];
  const ms = (value: number): string => (Number.isNaN(value) ? '' : `${value.toFixed(1)} ms`);
  const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`;
  return {
    load,
    asked: outcomes.length,
    answered: answered.length,
    refused: refused.length,
    'other errors': outcomes.length - answered.length - refused.length,
    'refusals, p50': ms(quantile(refused, 0.5)),
    'refusals, p95': ms(quantile(refused, 0.95)),
    'answers, p50': seconds(quantile(answered, 0.5)),
    'answers, p95': seconds(quantile(answered, 0.95)),
  };
}

const client = new GraftClient(program.url);
try {
  await ingestHandbookOver(client);
  for (let n = 0; n < 5; n += 1) await ask();
  const people = new People();
  while (people.outcomes.every(({ code }) => code === 'answered')) {
    people.join();
    await sleep(JOIN_MS);
  }
  // Those who joined last have waited as long as one waits from now on.
  await sleep(Math.max(...people.outcomes.map(({ ms }) => ms)));
  const before = people.outcomes.length;
  await sleep(CAPACITY_MS);
  const atCapacity = people.outcomes.slice(before);
  await people.leave();
  const perSecond = (atCapacity.filter(({ code }) => code === 'answered').length * 1_000) / CAPACITY_MS;

  const arrivals: Promise<Outcome>[] = [];
  const gapMs = 1_000 / (TIMES * perSecond);
  const began = performance.now();
  while (performance.now() - began < OVERLOAD_MS) {
    for (; arrivals.length * gapMs <= performance.now() - began;) arrivals.push(ask());
    await sleep(Math.min(gapMs, 20));
  }
  const overloaded = await Promise.all(arrivals);
  const p95 = (outcomes: readonly Outcome[]): number =>
    quantile(
      outcomes.filter(({ code }) => code === 'answered').map(({ ms }) => ms),
      0.95,
    );
  printResult('overload', {
    machine: describeMachine(),
    rows: [row('as many people as are let in', atCapacity), row('five times as many questions', overloaded)],
    model: MODEL,
    people: people.many,
    answersPerSecondAtCapacity: Number(perSecond.toFixed(2)),
    p95AsRatioToCapacity: Number((p95(overloaded) / p95(atCapacity)).toFixed(2)),
  });
} finally {
  client.close();
  await program.stop();
  await rm(home, { recursive: true, force: true });
}
