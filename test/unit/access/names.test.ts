import { checkedGroups } from '../../../src/kernel/groups.js';
import { checkedName } from '../../../src/operate/access/keys/api-key.js';
import { groupsIn, workspaceIn } from '../../../src/operate/access/oidc/claims.js';
import { checkedDocumentName } from '../../../src/sources/knowledge/ingestion.js';

const TAKES: Record<string, (name: string) => string | null | undefined> = {
  'a key or a workspace': (name) => checkedName(name, 'name'),
  'a group': (name) => checkedGroups([name], 'groups')[0],
  'a document': (name) => checkedDocumentName(name, 'name'),
};
const CLAIMED: typeof TAKES = {
  'the group of a token': (name) => groupsIn({ groups: [name] }, 'ASK', { groupsClaim: 'groups' })?.[0],
  'the workspace of a token': (name) => workspaceIn({ team: name }, 'team'),
};

describe('names that look alike', () => {
  it.each(Object.entries({ ...TAKES, ...CLAIMED }))('are one in whatever Unicode form: %s', (_of, named) => {
    expect(named('cafe\u0301')).toBe(named('caf\u00e9'));
  });

  it.each(Object.entries(TAKES))('have nothing in them that can’t be seen: %s', (_of, named) => {
    for (const unseen of [
      '\u0007',
      '\u00ad',
      '\u061c',
      '\u200b',
      '\u200e',
      '\u202e',
      '\u2060',
      '\u2066',
      '\ufeff',
      '\u3164',
      '\u{e0061}',
    ])
      expect(() => named(`pay${unseen}roll`)).toThrow(/seen/);
    // Joiners are part of words in some languages, and of emoji.
    expect(named('می\u200cخواهم')).toBe('می\u200cخواهم');
  });
});
