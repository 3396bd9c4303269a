import { newId } from '../../../src/kernel/ids.js';
import { toCollection } from '../../../src/sources/knowledge/collection-graphql.js';
import { outcomeOf } from '../../../src/operate/access/audit/audit.js';

test('an entry holds of what was changed only what GraphQL shows of it', () => {
  const row = { id: newId(), workspaceId: newId(), name: 'handbook', searchDigest: 'internal', createdAt: new Date(0) };
  const { subject, after } = outcomeOf({ collection: toCollection(row as never) });
  expect(subject).toMatch(/^Q29sbGVjdGlvb/);
  expect(after).toMatchObject({ name: 'handbook' });
  for (const column of ['workspaceId', 'rowId', 'searchDigest']) expect(after).not.toHaveProperty(column);
});
