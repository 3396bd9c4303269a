export const rolloutPath = (id: string): string => `/delivery/rollouts/${encodeURIComponent(id)}`;
export const proposalPath = (id: string): string => `/delivery/proposals/${encodeURIComponent(id)}`;
export const shadowPath = (id: string): string => `/delivery/shadows/${encodeURIComponent(id)}`;
