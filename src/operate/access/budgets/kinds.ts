/*
 * Kinds of runs that budgets treat apart. Who defines them stands above, so they go by name: `test/unit/graphql/run-kinds.test.ts` holds
 * the names to what there is.
 */

/** What must be done even by who has nothing left: people want it gone. */
export const ALWAYS: ReadonlySet<string> = new Set(['ERASURE', 'UNLEARNING']);

/**
 * What decides how users are answered while it lasts. It was asked when it began; asked again after a restart, a spent budget would end it,
 * and so change what users get.
 */
export const WATCHES: ReadonlySet<string> = new Set(['ROLLOUT_WATCH', 'SHADOW_WATCH', 'EXPERIMENT_WATCH']);

/** Each of its requests asks its budget by itself, and waits for it. */
export const ASK_BY_REQUEST: ReadonlySet<string> = new Set(['BATCH']);

/** Whose minutes are those of training. */
export const TRAININGS: ReadonlySet<string> = new Set(['TRAINING', 'LEARNING_RATE_SEARCH']);
