import { eventsOf, variablesOf } from '../../../src/cli/call.js';
import { readyOperation } from '../../../src/client/operations/ready.js';
import type { GraftClient } from '../../../src/client/graft-client.js';

const variables = (name: string, ...given: string[]) => variablesOf(readyOperation(name), given);

describe('the variables of graft call', () => {
  it('are text where the schema wants text, whatever it looks like', () => {
    for (const question of ['2024', '123e4567', 'true', '{"a":1}', '"quoted"', 'null', '[1] says what?'])
      expect(variables('Ask', `question=${question}`)).toEqual({ input: { question } });
    expect(variables('Adapter', 'name=2024')).toEqual({ name: '2024' });
    expect(variables('UpdateApiKey', 'id=123e4567', 'groups=2024', 'name=null')).toEqual({
      input: { id: '123e4567', groups: '2024', name: null },
    });
  });

  it('are JSON elsewhere, and text where a number would be another', () => {
    const recipe = variables('StartTraining', 'adapter=a', 'datasetVersion=7', 'recipe.epochs=2', 'recipe.seed=1e999');
    expect(recipe).toMatchObject({
      input: { adapter: 'a', datasetVersion: '7', recipe: { epochs: 2, seed: '1e999' } },
    });
    expect(variables('Ask', 'question=q', 'collections=["a","b"]', 'maxErrorRate=0.3', 'strategy=RAG')).toEqual({
      input: { question: 'q', collections: ['a', 'b'], maxErrorRate: 0.3, strategy: 'RAG' },
    });
    expect(variables('SetBudget', 'window=DAY', 'tokens=9007199254740993')).toMatchObject({
      input: { tokens: '9007199254740993' },
    });
    expect(variables('Runs', 'first=5')).toEqual({ first: 5 });
  });

  it('may be one object, whose fields go where paths go', () => {
    expect(variables('Ask', '{"question":"x"}')).toEqual({ input: { question: 'x' } });
    expect(variables('Ask', '{"input":{"question":"x"}}', 'strategy=RAG')).toEqual({
      input: { question: 'x', strategy: 'RAG' },
    });
    expect(variables('Ask', 'strategy=RAG', '{"input":{"question":"x"}}')).toEqual({
      input: { question: 'x', strategy: 'RAG' },
    });
    expect(variables('Runs', '{"first":5}')).toEqual({ first: 5 });
  });

  it('are objects where the schema wants some, and one of them where one is given', () => {
    for (const files of [[{ file: 'x' }, { file: 'y' }], { file: 'x' }])
      expect(variables('AddDatasetVersion', 'dataset=a', `files=${JSON.stringify(files)}`)).toMatchObject({
        input: { files },
      });
  });

  it('are named where the operation takes none of that name, also beside one that is missing', () => {
    expect(() => variables('Ask', 'qestion=x')).toThrow(/^BAD_USER_INPUT: Ask takes no qestion\./);
    expect(() => variables('Ask', '{"question":"x","colections":["a"]}')).toThrow(
      /^BAD_USER_INPUT: Ask takes no colections\./,
    );
    expect(() => variables('Runs', 'frist=5', 'afer=x')).toThrow(/^BAD_USER_INPUT: Runs takes no frist, afer\./);
  });

  it.each([
    ['Ask', '{question:"x"}', /^BAD_USER_INPUT: "\{question:"x"\}" is no JSON object: /],
    ['Ask', 'input={question:"x"}', /^BAD_USER_INPUT: input is no JSON object: /],
    ['StartTraining', 'recipe=fast', /^BAD_USER_INPUT: input\.recipe is no JSON object: /],
    ['StartTraining', '{"input":"fast"}', /^BAD_USER_INPUT: input is no JSON object\./],
    ['AddDatasetVersion', 'files={"file":"x"', /^BAD_USER_INPUT: input\.files is no JSON array of objects: /],
    ['AddDatasetVersion', 'files=x', /^BAD_USER_INPUT: input\.files is no JSON array of objects: /],
    ['AddDatasetVersion', 'files=2', /^BAD_USER_INPUT: input\.files is no JSON array of objects: it is none\./],
  ])('are refused where they should be an object and are none: %s %s', (name, given, why) => {
    expect(() => variables(name, given)).toThrow(why);
  });
});

describe('the events of a run behind the one that was seen last', () => {
  const nothing = (status: string | undefined) =>
    ({
      subscribe: async function* () {},
      request: () => Promise.resolve({ node: status === undefined ? null : { status, failures: 0 } }),
      close: () => undefined,
    }) as unknown as GraftClient;
  const events = async (status: string | undefined, variables: Record<string, string>) => {
    const operation = readyOperation('TrainingProgress');
    for await (const event of eventsOf(nothing(status), operation, variables, new AbortController().signal))
      throw new Error(JSON.stringify(event));
  };

  it.each(['SUCCEEDED', 'FAILED', 'CANCELLED'])('are none where it has ended: %s', async (status) => {
    await events(status, { runId: 'run-1', after: '2' });
  });

  it.each([['RUNNING'], ['QUEUED'], [undefined]])('are cut short where it has not: %s', async (status) => {
    await expect(events(status, { runId: 'run-1', after: '2' })).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('are cut short where not one of them was told', async () => {
    await expect(events('SUCCEEDED', { runId: 'run-1' })).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
