import { withFragments } from './with-fragments.js';

/**
 * Every operation of schema/operations, in the order of its file names (`10-ask.graphql`), with the variables of the file
 * beside it (`10-ask.variables.json`). `npm run schema:check` holds both against the schema, so an operation can't rot.
 * @type {Record<string, string>}
 */
const files = import.meta.glob('../../../../schema/operations/*', { query: '?raw', import: 'default', eager: true });
/** @type {Record<string, string>} */
const fragments = import.meta.glob('../../../../schema/operations/fragments/*', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** Where each flow begins in the numbers of the file names. */
const FLOWS = [
  [10, 'Ask'],
  [30, 'Knowledge'],
  [50, 'Models'],
  [60, 'Data'],
  [80, 'Runs'],
  [81, 'Training'],
  [85, 'Adapters'],
  [90, 'Evaluation'],
  [99, 'System'],
];

const flowOf = (number) => FLOWS.findLast(([first]) => first <= number)[1];

/** A value a line, whatever the file has: the editor is narrow. */
const indented = (variables) => (variables === undefined ? '' : JSON.stringify(JSON.parse(variables), null, 2));

/** @type {{ flow: string, name: string, kind: string, query: string, variables: string }[]} */
export const operations = Object.keys(files)
  .filter((path) => path.endsWith('.graphql'))
  .sort()
  .map((path) => {
    const [, kind, name] = /\b(query|mutation|subscription)\s+(\w+)/.exec(files[path]);
    return {
      flow: flowOf(Number.parseInt(path.split('/').at(-1), 10)),
      name,
      kind,
      query: withFragments(files[path], Object.values(fragments)),
      variables: indented(files[path.replace('.graphql', '.variables.json')]),
    };
  });

export const flows = FLOWS.map(([, flow]) => flow);
