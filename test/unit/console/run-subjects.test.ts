import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_KINDS } from '../../../src/graphql/resolvers.js';
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
});
