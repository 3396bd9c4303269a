export const comparisonPath = (runId: string): string => `/compare/${encodeURIComponent(runId)}`;
