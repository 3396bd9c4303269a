import { testDatabase, type TestDatabase } from '../support/database.js';

describe('t', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.dispose());
  it('has the default workspace', async () => {
    expect(await database.prisma.workspace.findMany()).toHaveLength(1);
  });
});
