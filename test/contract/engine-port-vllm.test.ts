/** A real vLLM with the default model's weights, held to what its stand-in is held to. `npm run contract:vllm` starts one for this; it takes 4 GB and minutes. */
import { realVllm, type FleetCandidate } from '../support/engine/engine-candidates.js';
import { keepsTheDialect } from '../support/engine/engine-dialect.js';
import { keepsThePort } from '../support/engine/engine-port.js';

const url = process.env.GRAFT_TEST_VLLM_URL;

describe('a fleet of a real vLLM', () => {
  if (url === undefined)
    return test.skip('[skipped: GRAFT_TEST_VLLM_URL names none; npm run contract:vllm starts one]', () => undefined);
  let candidate: FleetCandidate;
  keepsThePort(async () => (candidate = await realVllm(url)));
  keepsTheDialect(() => candidate.server);
});
