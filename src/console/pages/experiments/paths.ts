export const experimentPath = (id: string): string => `/experiments/${encodeURIComponent(id)}`;
