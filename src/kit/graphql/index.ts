/** What every resolver uses. It knows no domain and no platform part. */
import 'reflect-metadata';

export { cost, itemsAskedFor, type CostArguments } from './complexity.js';
export { ConnectionArgs, connectionTypes, mapPage, toConnection, type ConnectionOf } from './connections.js';
export {
  createGraphContext,
  type BudgetLeft,
  plainValues,
  type Change,
  type ChangeValue,
  type GraphContext,
  type OperationCost,
  type SignalSource,
} from './context.js';
export { fieldsOf, queriesOf, toItsOwn, toMany, toOne } from './fields-of.js';
export { fromGlobalId, parseGlobalId, toGlobalId } from './global-ids.js';
export { inOrder } from './in-order.js';
export { loadRow, loadRun, loadValue } from './load.js';
export { make } from './make.js';
export { mostItems } from './max-items.js';
export { neededRole, Needs } from './needs.js';
export { NodeRegistry, NodeType } from './node.js';
export {
  enumType,
  inputType,
  listOf,
  nodeOf,
  nodeType,
  objectType,
  ofType,
  recordInput,
  recordType,
  registerChoices,
  shownFields,
} from './record-types.js';
export { makeResolvers, type ResolverList } from './resolver-list.js';
export { afterEvent, RunEventType, type StoredEventLike } from './run-events.js';
export { runEvent, runGraph, runResolvers, type RunGraph, runEventsOf, type StartedRun } from './run-graph.js';
export {
  idempotencyKey,
  RunKind,
  RunStatus,
  RunType,
  runFields,
  runObject,
  runSubject,
  runTypeName,
  type RunObject,
  type RunRowLike,
} from './runs.js';
export { DateTime, JsonScalar } from './scalars.js';
export { asksFor } from './selection.js';
export { nullIsAValue } from './null-value.js';
export { ANSWERS_TOGETHER, checkRequest, Spends, SpendsBudget, spendsOf } from './spends.js';
export { rememberResolvers, subscribeWith, type SubscriptionRequest } from './subscriptions.js';
