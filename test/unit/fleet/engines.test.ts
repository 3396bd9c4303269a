import { EngineResolver } from '../../../src/ship/fleet/fleet-graphql.js';
import type { Fleet } from '../../../src/ship/fleet/fleet.js';
import { createGraphContext } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';

describe('the list of engines', () => {
  it('names the adapters of the caller’s workspace only, and addresses to callers of the first one', () => {
    const theirs = newId() as string as WorkspaceId;
    const resident = (workspaceId: WorkspaceId, adapter: string) => ({
      adapter: { name: `${adapter}-0a1b`, workspaceId, served: { adapter, version: 1 } },
    });
    const residents = [resident(DEFAULT_WORKSPACE_ID, 'tickets'), resident(theirs, 'layoffs')];
    const replica = { url: 'http://10.0.0.5:8000', breaker: { allows: true }, dialect: null, residents };
    const fleet = { replicas: [replica] } as unknown as Fleet;
    const shownTo = (workspaceId: WorkspaceId) =>
      new EngineResolver({ fleet })
        .engines(createGraphContext(localCaller(workspaceId), 'test', new AbortController()))
        .map(({ url, adapters }) => [url, ...adapters.map(({ adapter }) => adapter)]);
    expect(shownTo(DEFAULT_WORKSPACE_ID)).toEqual([['http://10.0.0.5:8000', 'tickets']]);
    expect(shownTo(theirs)).toEqual([['engine 1', 'layoffs']]);
  });
});
