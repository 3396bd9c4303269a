/** What follows a run of any kind: programs that don't know the kind before ask for its type, then for the subscription of that kind. */
export const RUN_TYPE = 'query RunType($id: ID!) { node(id: $id) { __typename } }';

/** How a run of any kind stands: where its events don't say it. */
export const RUN_STATE = 'query RunState($id: ID!) { node(id: $id) { ... on Run { status failures } } }';

/** @param field a subscription to a run's events: `trainingProgress` */
export const followDocument = (field: string): string =>
  `subscription Follow($runId: ID!) { ${field}(runId: $runId) { ... on RunEvent { status progress message error { code message } } } }`;
