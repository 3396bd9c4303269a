/** One contract for whatever infers, and one for whatever serves it: the worker, and fleets of stand-ins in both dialects. A real vLLM is held to both by `engine-port-vllm.test.ts`. */
import { centred } from '../../src/ship/fleet/proof/compare-bases.js';
import { standIn, workerCandidate, type FleetCandidate } from '../support/engine/engine-candidates.js';
import { keepsTheDialect } from '../support/engine/engine-dialect.js';
import { keepsThePort } from '../support/engine/engine-port.js';
import { TINY_TOKENS } from '../support/tiny-model.js';

describe('the worker', () => {
  keepsThePort(workerCandidate);
});

describe.each([
  ['that speaks vLLM’s dialect', () => standIn('VLLM', ['logprob_token_ids'])],
  ['whose vLLM knows allowed tokens only', () => standIn('VLLM', ['processed'])],
  ['that speaks SGLang’s dialect', () => standIn('SGLANG', [])],
])('a fleet of a stand-in %s', (_, open) => {
  let candidate: FleetCandidate;
  keepsThePort(async () => (candidate = await open()));
  keepsTheDialect(() => candidate.server);
});

test('the tiny model’s tokens are those of its tokenizer', () => {
  expect(TINY_TOKENS).toHaveLength(274);
  expect(centred([1, 3])).toEqual([-1, 1]);
});
