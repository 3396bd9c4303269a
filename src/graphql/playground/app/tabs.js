/**
 * The ready tabs: every operation of schema/operations, in the order of its file names (`10-ask.graphql`), with the variables
 * of the file beside it (`10-ask.variables.json`). `npm run schema:check` holds both against the schema, so a tab can't rot.
 * @type {Record<string, string>}
 */
const files = import.meta.glob('../../../../schema/operations/*', { query: '?raw', import: 'default', eager: true });

export const tabs = Object.keys(files)
  .filter((path) => path.endsWith('.graphql'))
  .sort()
  .map((path) => ({ query: files[path], variables: files[path.replace('.graphql', '.variables.json')] ?? '' }));

/** Changes with the tabs: a browser that keeps the tabs of an earlier release starts with the new ones. */
export const edition = tabs.reduce((sum, { query, variables }) => {
  for (const character of query + variables) sum = (Math.imul(sum, 31) + character.charCodeAt(0)) | 0;
  return sum;
}, 7);
