import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getNamedType, isInterfaceType } from 'graphql';
import { RUN_KINDS } from '../../../src/server/graphql/resolvers.js';
import { packageRoot } from '../../../src/platform/package-root.js';

const pageFile = (name: string): string => readFileSync(join(packageRoot(), 'src/console/pages/runs', name), 'utf8');

describe('the console’s list of runs', () => {
  const subjects = [
    ...new Set(RUN_KINDS.flatMap(({ definition: { subject } }) => (subject === null ? [] : [subject]))),
  ].sort();

  it('asks of each type of subject what it is called, and says it', () => {
    const [, fragment = ''] = pageFile('runs.graphql').split('fragment RunSubject on Node');
    const asked = [...fragment.split(/^}/m)[0]!.matchAll(/\.\.\. on (\w+)/g)].map(([, type]) => type);
    const said = [...pageFile('subject.ts').matchAll(/case '(\w+)':/g)].map(([, type]) => type);
    expect(asked.sort()).toEqual(subjects);
    expect(said.sort()).toEqual(subjects);
  });

  it('asks of each kind that writes a file where it is had', () => {
    const schema = buildSchema(readFileSync(join(packageRoot(), 'schema/schema.graphql'), 'utf8'));
    const run = schema.getType('Run');
    const writing = (isInterfaceType(run) ? schema.getPossibleTypes(run) : [])
      .filter((type) => getNamedType(type.getFields()['file']?.type)?.name === 'File')
      .map(({ name }) => name);
    const asked = [...pageFile('runs.graphql').matchAll(/\.\.\. on (\w+) {\s+file {/g)].map(([, type]) => type);
    expect(asked.sort()).toEqual(writing.sort());
    expect(asked).toContain('AdapterMergeRun');
  });
});
