/** What keeps something up to date in all workspaces works on each in its own: a query that forgets which it is about shows no other's rows. */
import { ExperimentTests } from '../../../src/ship/delivery/experiments/experiment-tests.js';
import { RolloutTests } from '../../../src/ship/delivery/rollouts/rollout-tests.js';
import { ShadowService, type ShadowServiceParts } from '../../../src/ship/delivery/shadow/shadow-service.js';
import { RouterKeeper, type RouterFitter } from '../../../src/prove/index.js';
import { RetentionSweeper } from '../../../src/learn/feedback/retention/retention.js';
import { WorkerReferences, type ReferenceParts } from '../../../src/ship/fleet/proof/reference.js';
import type { EngineAdapter } from '../../../src/ship/fleet/adapters/engine-adapter.js';
import { ImprovementService, type ImprovementServiceParts } from '../../../src/ship/improvement/improvement-service.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { DriftService, type DriftParts } from '../../../src/operate/monitoring/drift/drift-service.js';
import { currentScope, inScope, type Scope } from '../../../src/platform/database/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

const [one, other] = Array.from({ length: 2 }, () => newId() as string as WorkspaceId) as [WorkspaceId, WorkspaceId];

/** For whom each step was, in order. */
let seen: (Scope | undefined)[];
const see = <T>(result: T) => {
  return async (): Promise<T> => {
    await Promise.resolve();
    seen.push(currentScope());
    return result;
  };
};
const items = [
  { id: 'a', workspaceId: one },
  { id: 'b', workspaceId: other },
];

/** The doubles say what there is and see who asks; that the stores read and write it is the test of each domain. */
const keepers: Record<string, () => Promise<unknown>> = {
  policies: () => {
    const parts = {
      improvements: { active: see(items), newestOf: see(null) },
      adapters: { store: { byIds: see([]) } },
    };
    return new ImprovementService(parts as unknown as ImprovementServiceParts).look(new Date());
  },
  routers: () => {
    const routers = { workspaces: see([one, other]), newest: see(null) };
    const changes = () => Promise.resolve({ changes: [] });
    return new RouterKeeper({ fitter: { routers, changes } as unknown as RouterFitter }).look();
  },
  'feedback by age': () => {
    const rules = items.map(({ workspaceId }) => ({ workspaceId, days: 1 }));
    const store = { rules: see(rules), expire: see({ deleted: 0, blanked: 0, reviews: 0 }) };
    return new RetentionSweeper({ store: store as never, log: silentLogger() }).expireAll();
  },
  shadows: () => {
    const abandoned = items.map((item) => ({ ...item, code: null }));
    const shadows = { unwatched: see(abandoned), transaction: see(null) };
    return new ShadowService({ shadows } as unknown as ShadowServiceParts).endAbandoned();
  },
};

/** These run in a request, too, and are told by whoever has them read that they are the installation's. */
const ofTheInstallation: Record<string, () => Promise<unknown>> = {
  rollouts: () => {
    const parts = {
      database: { pool: { query: async () => ({ rows: [] }) } },
      rollouts: { unwatched: see(items) },
      decider: { abort: see(undefined) },
    };
    return new RolloutTests(parts as never).live();
  },
  experiments: () => {
    const experiments = { unwatched: see(items), running: async () => [] };
    return new ExperimentTests({ experiments, experimentDecider: { stop: see(undefined) } } as never).live();
  },
  drift: () => {
    const waiting = items.map((item) => ({ ...item, question: null }));
    const parts = {
      database: { prisma: { $transaction: async () => undefined } },
      drift: { oldest: see(waiting), list: see([]) },
    };
    return new DriftService(parts as unknown as DriftParts).pass(new AbortController().signal);
  },
};

describe('for whom work on all workspaces is', () => {
  beforeEach(() => void (seen = []));

  it.each(Object.entries(keepers))('lists %s of all, and goes through each in its own', async (_, work) => {
    await inScope('nobody', work);
    expect(seen[0]).toBe('system');
    expect([...new Set(seen.slice(1))]).toEqual([one, other]);
  });

  it.each(Object.entries(ofTheInstallation))('goes through %s each in its own', async (_, work) => {
    await inScope('system', work);
    expect(seen).toEqual(['system', one, other]);
  });

  it('looks at what an engine is held against in the workspace that has it, whoever’s request led there', async () => {
    const gone = async () => {
      await see(null)();
      throw new Error('gone');
    };
    const parts = { registry: { defaultVariant: gone, variant: gone } } as unknown as ReferenceParts;
    const references = new WorkerReferences(parts);
    const adapter = { name: 'acts@1', workspaceId: other, served: {} } as EngineAdapter;
    await inScope(one, () => expect(references.of(adapter)).rejects.toThrow('gone'));
    await inScope(one, () => expect(references.base()).rejects.toThrow('gone'));
    expect(seen).toEqual([other, DEFAULT_WORKSPACE_ID]);
  });
});
