/** A real vLLM with the default model's weights, held to what its stand-in is held to. `npm run contract:vllm` starts one for this; it takes 4 GB and minutes. */
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
    const { dialect, http, held, tokens } = server;
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
    const { base } = replica.capabilities!;
    const name = `mixed@0123456789ab`;
    await dialect.load(http, { name, path: held.path }, signal);
    const score = (adapter: string | null) =>
      dialect.score(
        http,
        { base, adapter, tokens, candidates: server.labels.slice(0, 100), fresh: true },
        replica.capabilities!.scoring,
        signal,
      );
    const alone = await score(null);
    const beside = await Promise.all(Array.from({ length: 6 }, (_, i) => score(i % 2 === 0 ? name : null)));
    await dialect.unload(http, name, signal);
    const moved = beside.filter((_, i) => i % 2 === 1).flatMap((row) => row.map((x, j) => Math.abs(x - alone[j]!)));
    const [resident] = replica.residents;
    if (Math.max(...moved) < 0.01) expect({ loaded, state: resident?.state }).toEqual({ state: 'PROVEN' });
    else expect(loaded).toMatchObject({ kind: 'REFUSED', message: expect.stringContaining('at once') as string });
  }, 160_000);
});
