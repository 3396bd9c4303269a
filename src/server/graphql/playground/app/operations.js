import ready from '../../../../client/operations/generated/ready.json';

/**
 * Every operation of schema/operations with its example variables, in the order of the sidebar. `npm run schema:check` holds
 * both against the schema, so an operation can't rot.
 * @type {{ flow: string, name: string, kind: string, query: string, variables: string }[]}
 */
export const operations = ready.map(({ flow, name, kind, description, text, example }) => ({
  flow,
  name,
  kind,
  query: `${description.replaceAll(/^/gm, '# ')}\n${text}\n`,
  variables: example,
}));

export const flows = [...new Set(operations.map(({ flow }) => flow))];
