/** A real vLLM with the default model's weights, held to what its stand-in is held to. `npm run contract:vllm` starts one for this; it takes 6 GB and minutes. */
import { realVllm, type FleetCandidate } from '../support/engine/engine-candidates.js';
import { keepsTheDialect } from '../support/engine/engine-dialect.js';
import { keepsThePort } from '../support/engine/engine-port.js';

/** More than its `--max-loras`. */
const PLACES = 9;

const url = process.env.GRAFT_TEST_VLLM_URL;

describe('a fleet of a real vLLM', () => {
  if (url === undefined)
    return test.skip('[skipped: GRAFT_TEST_VLLM_URL names none; npm run contract:vllm starts one]', () => undefined);
  let candidate: FleetCandidate;
  keepsThePort(async () => (candidate = await realVllm(url)));
  keepsTheDialect(() => candidate.server);

  test('is left without adapters once it answers the base with the weights of one, as it does on a processor when its places are full', async () => {
    const { server } = candidate;
    const { dialect, http, held } = server;
    const signal = AbortSignal.timeout(150_000);
    for (let i = 0; i < PLACES; i += 1) {
      const name = `place-${i}@0123456789ab`;
      await dialect.load(http, { name, path: held.path }, signal);
      await dialect.unload(http, name, signal);
    }
    await dialect.unload(http, held.name, signal);
    const replica = server.replica();
    await replica.look(signal);
    const loaded = await replica.hold(held, signal).catch((error: unknown) => error);
    const [resident] = replica.residents;
    // Whether it mixes is up to the processor's kernels and to who shares a batch; what the proof saw has to hold.
    if (loaded === undefined) return expect(resident).toMatchObject({ state: 'PROVEN' });
    expect(loaded).toMatchObject({ kind: 'REFUSED', message: expect.stringContaining('at once') as string });
    expect(replica.serves(held, 1)).toBe(false);
    expect(replica.serves(null, 1)).toBe(true);
  }, 160_000);
});
