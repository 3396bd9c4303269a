/**
 * What `/v1/chat/completions` adds to the same question over GraphQL, on the whole product over HTTP: the two alternate, question by question,
 * each on a kept connection, and GraphQL is asked for what a completion tells. Once with an answer of one token that the base model makes anew
 * each time, and once with an answer that was recorded, which no model disturbs.
 *
 * Published: milliseconds (p50 and p95) of both, and the difference of their medians.
 *
 *   npm run bench -- endpoint
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { numberOption } from './support/options.js';
import { startProgram } from './support/program.js';
import { quantile } from './support/logistic.js';
import { describeMachine, median, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const ROUNDS = numberOption('rounds', 150);
const WARM_UP = 10;

const FIELDS = `id text finishReason confidence abstained abstention { reason sentence } citations { quote start end documentName }
  route { strategy chosenBy reasons { sentence } } adapter { name versionNumber digest } askedAs question
  usage { promptTokens reusedTokens generatedTokens } configuration { digest } createdAt`;

const home = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const program = await startProgram(join(home, 'home'), MODEL);
const dispatcher = new Agent({ connections: 1, pipelining: 1 });

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<number> {
  const began = performance.now();
  const response = await fetch(`${program.url}${path}`, {
    method: 'POST',
    dispatcher,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await response.text();
  const ms = performance.now() - began;
  if (!response.ok || text.includes('"errors"')) throw new Error(`${path}: ${response.status} ${text.slice(0, 400)}`);
  return ms;
}

/** @param requestId of an answer that is recorded; null: it is made anew */
const overGraphql = (question: string, requestId: string | null): Promise<number> =>
  post('/graphql', {
    query: `query ($input: AskInput!) { ask(input: $input) { ${FIELDS} } }`,
    variables: { input: { question, requestId, strategy: 'BASE', model: MODEL, generation: { maxTokens: 1 } } },
  });
const overV1 = (content: string, requestId: string | null): Promise<number> =>
  post(
    '/v1/chat/completions',
    { model: MODEL, max_completion_tokens: 1, messages: [{ role: 'user', content }] },
    requestId === null ? {} : { 'idempotency-key': requestId },
  );

async function measure(answer: string, recorded: boolean) {
  const graphql: number[] = [];
  const v1: number[] = [];
  const again = (name: string): string | null => (recorded ? name : null);
  for (let i = -WARM_UP; i < ROUNDS; i += 1) {
    const question = recorded ? 'Say hello.' : `Say ${i + WARM_UP}.`;
    const asks = [
      async () => graphql.push(await overGraphql(question, again('graphql'))),
      async () => v1.push(await overV1(question, again('v1'))),
    ];
    for (const ask of i % 2 === 0 ? asks : asks.reverse()) await ask();
  }
  const [one, other] = [graphql.slice(WARM_UP), v1.slice(WARM_UP)];
  return {
    answer,
    'GraphQL p50 ms': median(one).toFixed(2),
    '/v1 p50 ms': median(other).toFixed(2),
    'added p50 ms': (median(other) - median(one)).toFixed(2),
    'GraphQL p95 ms': quantile(one, 0.95).toFixed(1),
    '/v1 p95 ms': quantile(other, 0.95).toFixed(1),
  };
}

try {
  const rows = [await measure('one token, made anew', false), await measure('recorded, told again', true)];
  printResult('endpoint', { machine: describeMachine(), rows, rounds: ROUNDS });
} finally {
  await dispatcher.close();
  await program.stop();
  await rm(home, { recursive: true, force: true });
}
