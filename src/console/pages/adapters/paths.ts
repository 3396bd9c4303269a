export const adapterPath = (name: string): string => `/adapters/${encodeURIComponent(name)}`;
export const evaluationPath = (adapter: string, id: string): string =>
  `${adapterPath(adapter)}/evaluations/${encodeURIComponent(id)}`;
