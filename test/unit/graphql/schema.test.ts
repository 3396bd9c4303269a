import { buildSchema } from 'graphql';
import { undescribed } from '../../../src/graphql/descriptions.js';
import { errorsPage } from '../../../src/graphql/errors-page.js';
import { RESOLVER_CLASSES } from '../../../src/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/graphql/schema.js';
import { ERROR_CODES } from '../../../src/kernel/error-codes.js';

describe('the schema’s documentation', () => {
  it('finds every type, field, argument and enum value without a description', () => {
    const schema = buildSchema(`
      "Described." type A { bare(argument: Int): Int "Described." good("Described." argument: Int): Int }
      type Query { "Described." a: A "Described." e(input: I): E }
      enum E { "Described." ONE TWO }
      "Described." input I { bare: Int }
    `);
    expect(undescribed(schema).sort()).toEqual([
      'A.bare',
      'A.bare(argument:)',
      'E',
      'E.TWO',
      'I.bare',
      'Query.e(input:)',
    ]);
  });

  it('says what a field costs where it is dearer than a plain one, and nothing else does', () => {
    const query = buildGraphSchema(RESOLVER_CLASSES).getQueryType()!.getFields();
    expect(query['ask']!.description).toMatch(/ Cost: 100\.$/);
    expect(query['answerAll']!.description).toMatch(/ Cost: 400 and 4 times its selection\.$/);
    expect(query['collection']!.description).toMatch(/ Cost: 2\.$/);
    expect(query['node']!.description).not.toMatch(/Cost:/);
  });

  it('lists every error code with what to do', () => {
    const page = errorsPage();
    for (const [code, { whatToDo }] of Object.entries(ERROR_CODES)) {
      expect(page).toContain(`| \`${code}\` |`);
      expect(page).toContain(whatToDo);
    }
  });
});
