import { readFileSync } from 'node:fs';
import { buildSchema, Kind, parse, validate } from 'graphql';
import { readyOperation, readyOperations } from '../../../src/client/operations/ready.js';
import { loadOperationList } from '../../../src/server/graphql/operation-list.js';
import { followDocument, RUN_STATE, RUN_TYPE } from '../../../src/client/operations/following.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

const schema = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));

describe('a ready operation, as the command line and agents send it', () => {
  it('stands for itself: the fragments that it takes are in it', () => {
    const ready = readyOperations();
    const wrong = ready.flatMap(({ name, text }) =>
      validate(schema, parse(text)).map(({ message }) => `${name}: ${message}`),
    );
    expect(wrong).toEqual([]);
    expect(ready.length).toBeGreaterThan(100);
  });

  it('is there for each mutation: what has none is out of reach of the command line, and of all where operations are enforced', () => {
    const sent = new Set(
      readyOperations().flatMap(({ text }) =>
        parse(text).definitions.flatMap((definition) =>
          definition.kind === Kind.OPERATION_DEFINITION
            ? definition.selectionSet.selections.map((field) => (field.kind === Kind.FIELD ? field.name.value : ''))
            : [],
        ),
      ),
    );
    const mutations = Object.keys(schema.getMutationType()!.getFields());
    expect(mutations.filter((name) => !sent.has(name))).toEqual([]);
  });

  it('has an example that asks on an empty home, too: it names no collection', () => {
    const asking = readyOperations().filter(({ flow }) => flow === 'Ask');
    expect(asking.map(({ name }) => name)).toEqual(expect.arrayContaining(['Ask', 'AnswerAll', 'AskStream']));
    expect(asking.filter(({ example }) => example.includes('"collections"'))).toEqual([]);
  });

  it('is listed as it is sent', () => {
    const list = loadOperationList({ GRAFT_OPERATIONS: 'enforce' }, schema, silentLogger())!;
    expect(readyOperations().filter(({ text }) => !list.has(parse(text)))).toEqual([]);
    expect(list.has(parse(`"As the file has it." ${readyOperation('System').text}`))).toBe(true);
    for (const text of [RUN_TYPE, RUN_STATE, followDocument('ingestionProgress')])
      expect([validate(schema, parse(text)), list.has(parse(text))]).toEqual([[], true]);
  });
});
