import { RouterKeeper, type RouterFitter } from '../../../src/prove/index.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';

describe('the keeper of routers', () => {
  it('looks after the router of every workspace, whatever goes wrong in one of them', async () => {
    const [first, broken, last] = Array.from({ length: 3 }, () => newId() as string as WorkspaceId) as [
      WorkspaceId,
      WorkspaceId,
      WorkspaceId,
    ];
    const started: string[] = [];
    // What a workspace has is said here; that it is read from the database is the test of routers.
    const fitter = {
      routers: {
        workspaces: () => Promise.resolve([first, broken, last]),
        newest: (workspaceId: WorkspaceId) =>
          workspaceId === broken ? Promise.reject(new Error('gone')) : Promise.resolve({ version: 1, mode: 'APPLY' }),
      },
      changes: (workspaceId: WorkspaceId) =>
        Promise.resolve({ changes: [{ name: 'faq' }], state: workspaceId, fittable: true }),
      fitting: () => Promise.resolve(null),
      othersWork: () => Promise.resolve(false),
      start: (workspaceId: WorkspaceId, { idempotencyKey }: { idempotencyKey: string }) => {
        started.push(workspaceId, idempotencyKey);
        return Promise.resolve({});
      },
    } as unknown as RouterFitter;
    const keeper = new RouterKeeper({ fitter });
    await expect(keeper.look()).rejects.toThrow('gone');
    // A change must stand from one look to the next.
    expect(started).toEqual([]);
    await expect(keeper.look()).rejects.toThrow('gone');
    expect(started.filter((_, i) => i % 2 === 0)).toEqual([first, last]);
    expect(new Set(started).size).toBe(4);
  });

  it('fits at once when an adapter comes, also the first, which nobody fitted a router for', async () => {
    const workspaceId = newId() as string as WorkspaceId;
    const started: object[] = [];
    const fitter = {
      routers: { newest: () => Promise.resolve(null) },
      changes: () =>
        Promise.resolve({ changes: [{ name: 'routing@1', adapts: true }], state: 'first', fittable: true }),
      fitting: () => Promise.resolve(null),
      othersWork: () => Promise.resolve(true),
      start: (_: WorkspaceId, input: object) => {
        started.push(input);
        return Promise.resolve({});
      },
    } as unknown as RouterFitter;
    await new RouterKeeper({ fitter }).lookAt(workspaceId);
    expect(started).toMatchObject([{ mode: 'APPLY', automatic: true, urgent: true }]);
  });
});
