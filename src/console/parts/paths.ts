/** Addresses of the console's pages about one thing: each takes its name or id, and encodes it. */

const below = (page: string) => (name: string) => `${page}/${encodeURIComponent(name)}`;

export const adapterPath = below('/adapters');
export const collectionPath = below('/knowledge');
export const comparisonPath = below('/compare');
export const datasetPath = below('/data');
export const evaluationPath = (adapter: string, id: string): string => below(`${adapterPath(adapter)}/evaluations`)(id);
export const experimentPath = below('/experiments');
export const improvementPath = below('/improvements');
export const proposalPath = below('/delivery/proposals');
export const rolloutPath = below('/delivery/rollouts');
export const shadowPath = below('/delivery/shadows');
export const sourcePath = below('/sources');
export const trainingPath = below('/training');
