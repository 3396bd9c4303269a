/**
 * What asking for a key and keeping a budget add to `ask`: the same question to one gateway, by turns without a key and with one whose
 * budget is reserved and settled each time. The answer is recorded under a request id, so that no model stands between: what is left is the way in
 * and out. The claim: under one ms more (p50).
 *
 *   npm run bench -- access   (TIMES=2000)
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraftClient } from '../src/client/graft-client.js';
import { startProgram } from './support/program.js';
import { describeMachine, median, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const TIMES = Number(process.env['TIMES'] ?? 2_000);
const WARM_UP = 300;
const ASK = `query { ask(input: { question: "What does a lighthouse keeper need?", strategy: BASE, requestId: "same", generation: { maxTokens: 4 } }) { id } }`;
const KEY = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token key { id } } }`;
const BUDGET = `mutation ($input: SetBudgetInput!) { setBudget(input: $input) { __typename } }`;

const home = await mkdtemp(join(tmpdir(), 'graft-bench-access-'));
const program = await startProgram(home, MODEL);
const client = new GraftClient(program.url);
try {
  const make = (name: string) =>
    client.request<{ createApiKey: { token: string; key: { id: string } } }>(KEY, { input: { name, role: 'ADMIN' } });
  const plain = (await make('plain')).createApiKey;
  const budgeted = (await make('budgeted')).createApiKey;
  await client.request(BUDGET, { input: { keyId: budgeted.key.id, window: 'DAY', requests: 1_000_000 } });
  const callers = {
    'no key': client,
    'a key': new GraftClient(program.url, plain.token),
    'a key with a budget': new GraftClient(program.url, budgeted.token),
  };
  const times: Record<string, number[]> = {};
  for (let n = 0; n < TIMES + WARM_UP; n += 1)
    for (const [name, caller] of Object.entries(callers)) {
      const began = performance.now();
      await caller.request(ASK);
      if (n >= WARM_UP) (times[name] ??= []).push(performance.now() - began);
    }
  const without = median(times['no key']!);
  printResult('access', {
    machine: describeMachine(),
    rows: Object.entries(times).map(([name, ms]) => ({
      'ask with': name,
      p50: `${median(ms).toFixed(2)} ms`,
      'more than without, p50': name === 'no key' ? '' : `${(median(ms) - without).toFixed(2)} ms`,
      'under one ms more': name === 'no key' ? '' : median(ms) - without < 1 ? 'yes' : 'no',
    })),
    askedEach: TIMES,
  });
} finally {
  client.close();
  await program.stop();
  await rm(home, { recursive: true, force: true });
}
