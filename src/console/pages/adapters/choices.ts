import type { ComparisonScopeQuery } from '../../generated/operations';

type Adapter = ComparisonScopeQuery['adapters']['edges'][number]['node'];

/** Each adapter by its name, when it has a version in production, and each of its versions, as the API takes them. */
export const adapterChoices = (adapters: readonly Adapter[]): string[] =>
  adapters.flatMap(({ name, versions }) => [
    ...(versions.some(({ aliases }) => aliases.includes('PRODUCTION')) ? [name] : []),
    ...versions.map(({ version }) => `${name}@${version}`),
  ]);
