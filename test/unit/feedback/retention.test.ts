import { newId } from '../../../src/kernel/ids.js';
import { RetentionSweeper } from '../../../src/learn/feedback/retention/retention.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

test('feedback expires in every workspace, also behind one that fails', async () => {
  const rules = [newId(), newId(), newId()].map((workspaceId) => ({ workspaceId, days: 1 }));
  const swept: string[] = [];
  const store = {
    rules: () => Promise.resolve(rules),
    expire: (workspaceId: string) => {
      swept.push(workspaceId);
      if (workspaceId === rules[0]!.workspaceId) throw new Error('a lock was not to be had');
      return Promise.resolve({ deleted: 0, blanked: 0, reviews: 0 });
    },
  };
  const sweeper = new RetentionSweeper({ store: store as never, log: silentLogger() });
  await expect(sweeper.expireAll()).rejects.toThrow('a lock was not to be had');
  expect(swept).toEqual(rules.map(({ workspaceId }) => workspaceId));
});
