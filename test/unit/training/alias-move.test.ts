import { aliasMove } from '../../../src/learn/training/index.js';

describe('a move of an alias, as the audit log tells it', () => {
  const store = {
    versionsById: (_workspace: string, ids: readonly string[]) =>
      Promise.resolve(ids.filter((id) => id !== 'gone').map((id) => ({ id, version: Number(id.slice(1)) }))),
  } as unknown as Parameters<typeof aliasMove>[0];
  const move = (fromVersionId: string | null, toVersionId: string | null) =>
    aliasMove(store, { workspaceId: 'w', alias: 'production', fromVersionId, toVersionId } as Parameters<
      typeof aliasMove
    >[1]);

  it('says which version was named before and which is from now on', async () => {
    expect(await move('v3', 'v4')).toEqual({
      before: { alias: 'production', version: 3 },
      after: { alias: 'production', version: 4 },
    });
  });

  it('says null where none was named, or the version is gone', async () => {
    expect(await move(null, 'v1')).toMatchObject({ before: { version: null }, after: { version: 1 } });
    expect(await move('gone', null)).toMatchObject({ before: { version: null }, after: { version: null } });
  });
});
