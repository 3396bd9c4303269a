/** How far a backup or a restore is in one of its steps; `total` is null where nobody knows beforehand. */
export type ProgressListener = (step: { what: string; done: number; total: number | null }) => void;
