/** What every resolver uses. It knows no domain and no platform part. */
import 'reflect-metadata';

export { cost, itemsAskedFor, type CostArguments } from './complexity.js';
export {
  ConnectionArgs,
  PageInfo,
  connectionTypes,
  mapPage,
  toConnection,
  type ConnectionOf,
  type EdgeOf,
} from './connections.js';
export {
  createGraphContext,
  type BatchFunction,
  type GraphContext,
  type OperationCost,
  type SignalSource,
} from './context.js';
export { fromGlobalId, parseGlobalId, toGlobalId } from './global-ids.js';
export { inOrder } from './in-order.js';
export { make } from './make.js';
export { DEFAULT_MAX_ITEMS, MaxItems, mostItems } from './max-items.js';
export { NodeRegistry, NodeType, markType, markedType, type NodeFetch } from './node.js';
export { makeResolvers, type AnyResolverList, type ResolverList } from './resolver-list.js';
export { RunEventType, afterEvent, runEventFields, type StoredEventLike } from './run-events.js';
export { runEvent, runGraph, runResolvers, type RunGraph, type RunSource } from './run-graph.js';
export {
  IDEMPOTENCY_KEY,
  RunError,
  RunKind,
  RunStatus,
  RunType,
  runFields,
  runObject,
  runTypeName,
  type RunObject,
  type RunRowLike,
} from './runs.js';
export { BigIntScalar, DateTime, JsonScalar } from './scalars.js';
export { asksFor } from './selection.js';
export { rememberResolvers, subscribeWith, type SubscriptionRequest } from './subscriptions.js';
