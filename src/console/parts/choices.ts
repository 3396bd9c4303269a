import { useQuery } from 'urql';
import { ChoicesDocument, type AdapterAlias } from '../generated/operations';
import { dateTime } from './format';

/** What forms choose from: everything of the workspace that has a name. */
export function useChoices() {
  const [{ data, error }, refetch] = useQuery({ query: ChoicesDocument });
  const nodes = <Node>(list: { edges: readonly { node: Node }[] } | undefined): Node[] =>
    (list?.edges ?? []).map(({ node }) => node);
  return {
    loaded: data !== undefined,
    error,
    again: refetch,
    collections: nodes(data?.collections),
    adapters: nodes(data?.adapters),
    datasets: nodes(data?.datasets),
    /** Each variant, as the API takes it. */
    models: nodes(data?.models).flatMap(({ name, variants }) =>
      variants.map(({ quantization }) => `${name}@${quantization}`),
    ),
  };
}

export type Choices = ReturnType<typeof useChoices>;
export type AdapterChoice = Choices['adapters'][number];

/** The version that answers where the adapter alone is named. */
export const productionOf = <Version extends { aliases: readonly AdapterAlias[] }>(
  versions: readonly Version[],
): Version | undefined => versions.find(({ aliases }) => aliases.includes('PRODUCTION'));

/** Each adapter by its name, when it has a version in production, and each of its versions, as the API takes them. */
export const adapterChoices = (adapters: readonly AdapterChoice[]): string[] =>
  adapters.flatMap(({ name, versions }) => [
    ...(productionOf(versions) ? [name] : []),
    ...versions.map(({ version }) => `${name}@${version}`),
  ]);

/** Versions of one dataset, each with its date. */
export const versionChoices = (versions: readonly { id: string; version: number; createdAt: string }[]) =>
  versions.map(({ id, version, createdAt }) => ({ value: id, label: `Version ${version} · ${dateTime(createdAt)}` }));
