import {
  execute,
  GraphQLError,
  OperationTypeNode,
  subscribe,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import type { Caller, Role } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';
import { createGraphContext, type GraphContext } from '../../kit/graphql/index.js';
import { inScope } from '../../platform/database/index.js';
import type { EndedOperation, Logger, Metrics } from '../../platform/telemetry/index.js';
import { GRAFT, inSpan, startSpan, type TraceSpan } from '../../platform/tracing/index.js';
import type { Callers } from './callers.js';
import { RequestRefused, operationType, type DocumentChecker } from './documents.js';
import { codeOf, type ErrorPresenter } from './errors.js';
import { operationAttributes, operationNamed, operationSpanName } from './request-spans.js';

interface StreamRequest {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

/** An operation that passed every check, with the controller that stops it. */
export interface PreparedOperation extends ExecutionArgs {
  document: DocumentNode;
  contextValue: GraphContext;
  controller: AbortController;
  type: OperationTypeNode;
  /** The role that its fields need: it ends when its caller has less. */
  needed: Role;
}

interface StreamRunnerParts {
  schema: GraphQLSchema;
  checker: DocumentChecker;
  presenter: ErrorPresenter;
  metrics: Metrics;
  log: Logger;
  callers: Callers;
}

/**
 * Runs operations for the transports that stream, WebSocket and SSE, under the rules of HTTP: the same limits, the same errors.
 * Every operation becomes an async generator, a query one of a single result, because a generator's `return` is how both
 * libraries say that the client is gone; here it aborts the context's signal first, so that a resolver that waits
 * (for a token, for an event) stops at once and not at its next value.
 */
export class StreamRunner {
  constructor(private readonly parts: StreamRunnerParts) {}

  get checker(): DocumentChecker {
    return this.parts.checker;
  }

  /**
   * @returns the operation, or the formatted errors for which it can't run
   * @param overGet a GET may not change anything, nor start what computes for seconds
   */
  prepare(
    request: StreamRequest,
    caller: Caller,
    requestId: string,
    overGet = false,
  ): PreparedOperation | GraphQLError[] {
    const { checker, schema } = this.parts;
    try {
      const prepared = checker.prepare(request.query);
      const type = operationType(prepared, request.operationName);
      if (type === undefined)
        throw new GraftError(
          'BAD_REQUEST',
          'The document has several operations, or none of this name: name one that it has.',
        );
      if (overGet && (type === OperationTypeNode.MUTATION || (prepared.exclusive && type === OperationTypeNode.QUERY)))
        throw new GraftError('BAD_REQUEST', 'This operation is taken over POST only.');
      const cost = checker.checkVariables(prepared, request.operationName, request.variables);
      const controller = new AbortController();
      return {
        schema,
        document: prepared.document,
        operationName: request.operationName,
        variableValues: request.variables,
        contextValue: createGraphContext(caller, requestId, controller, cost),
        controller,
        type,
        needed: prepared.roles.get(request.operationName ?? [...prepared.roles.keys()][0]!) ?? 'ASK',
      };
    } catch (error) {
      return this.presented(error, requestId);
    }
  }

  /** Any error as the list of formatted errors that both libraries take. */
  presented(error: unknown, requestId: string): GraphQLError[] {
    const errors =
      error instanceof RequestRefused
        ? error.errors
        : [error instanceof GraphQLError ? error : new GraphQLError('', { originalError: error as Error })];
    return errors.map((graphqlError) => presentedError(this.parts.presenter, graphqlError, requestId));
  }

  /** @param onEnd called once, when the operation completed, failed or was cancelled */
  run(
    operation: PreparedOperation,
    transport: EndedOperation['transport'],
    onEnd: () => void = () => undefined,
  ): AsyncGenerator<ExecutionResult, void, undefined> {
    const { caller, requestId } = operation.contextValue;
    const span = startOperation(operation, transport);
    const stream = new OperationStream(operation, {
      within: (work) => inScope(caller.workspaceId, () => inSpan(span, work)),
      present: (result) => this.#presentedResult(result, operation.contextValue),
      fail: (error) => ({ errors: this.presented(error, operation.contextValue.requestId) }),
      end: ({ code, ...outcome }) => {
        const failed = code !== null;
        this.parts.metrics.operationEnded({ transport, type: operation.type, failed, ms: outcome.ms });
        this.parts.log.info(
          {
            requestId: operation.contextValue.requestId,
            operation: operation.type,
            name: operation.operationName,
            ...outcome,
          },
          'stream ended',
        );
        span.set({ [GRAFT.RESULTS]: outcome.results });
        span.end(outcome.cancelled ? 'CANCELLED' : (code ?? undefined));
        unwatch();
        onEnd();
      },
    });
    const unwatch = this.parts.callers.watch(caller, operation.needed, (error) =>
      stream.fail({ errors: this.presented(error, requestId) }),
    );
    return stream;
  }

  #presentedResult(result: ExecutionResult, { requestId, cost, budget }: GraphContext): ExecutionResult {
    const extensions = { ...result.extensions, cost, ...(budget && { budget }) };
    if (!result.errors) return { ...result, extensions };
    const errors = result.errors.map((error) => presentedError(this.parts.presenter, error, requestId));
    return { ...result, errors, extensions };
  }
}

function startOperation(
  { document, operationName, contextValue: { requestId, workspaceId } }: PreparedOperation,
  transport: EndedOperation['transport'],
): TraceSpan {
  const operation = operationNamed(document, operationName);
  return startSpan(operation ? operationSpanName(operation) : 'operation', {
    // An event stream is a request, which has a span of its own.
    kind: transport === 'websocket' ? 'server' : 'internal',
    attributes: {
      ...(operation && operationAttributes(operation, transport)),
      [GRAFT.REQUEST_ID]: requestId,
      [GRAFT.WORKSPACE]: workspaceId,
    },
  });
}

interface StreamHooks {
  /** Runs each step as part of the operation. */
  within<T>(work: () => T): T;
  present(result: ExecutionResult): ExecutionResult;
  fail(error: unknown): ExecutionResult;
  /** @param outcome with the code of its first error, null where all went well */
  end(outcome: { results: number; code: string | null; cancelled: boolean; ms: number }): void;
}

type Step = IteratorResult<ExecutionResult, void>;

const DONE: Step = { done: true, value: undefined };

/** The results of one operation. `return` ends it at once, even while `next` waits for a source that does not listen. */
class OperationStream implements AsyncGenerator<ExecutionResult, void, undefined> {
  readonly #started = performance.now();
  #source: AsyncGenerator<ExecutionResult, void, void> | undefined;
  #results = 0;
  #code: string | null = null;
  #ended = false;
  #wake: ((step: Step) => void) | undefined;
  /** What it is to end with, said while nobody waited for a result. */
  #failure: ExecutionResult | undefined;

  constructor(
    private readonly operation: PreparedOperation,
    private readonly hooks: StreamHooks,
  ) {}

  async next(): Promise<Step> {
    if (this.#ended) return DONE;
    if (this.#failure) return this.#last(this.#failure);
    return new Promise((resolve) => {
      this.#wake = (step) => {
        this.#wake = undefined;
        resolve(step);
      };
      const settle = (step: Step): void => this.#wake?.(step);
      this.hooks
        .within(() => this.#step())
        .then(settle, (error: unknown) => settle(this.#last(this.hooks.fail(error))));
    });
  }

  /** Ends it at once with this result, even while `next` waits. */
  fail(result: ExecutionResult): void {
    if (this.#ended) return;
    const wake = this.#wake;
    if (wake) return wake(this.#last(result));
    this.#failure = result;
    // Its client may take long to ask for the next result, or never do so.
    this.operation.controller.abort();
    this.#closeSource();
  }

  async return(): Promise<Step> {
    this.#end(true);
    return DONE;
  }

  throw = (): Promise<Step> => this.return();

  [Symbol.asyncIterator](): AsyncGenerator<ExecutionResult, void, undefined> {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #step(): Promise<Step> {
    if (!this.#source) {
      if (this.operation.type !== OperationTypeNode.SUBSCRIPTION)
        return this.#last(this.hooks.present(await execute(this.operation)));
      const opened = await subscribe(this.operation);
      if (!(Symbol.asyncIterator in opened)) return this.#last(this.hooks.present(opened));
      this.#source = opened;
      if (this.#ended) this.#closeSource();
    }
    const item = await this.#source.next();
    if (item.done) {
      this.#end(false);
      return DONE;
    }
    return { done: false, value: this.#counted(this.hooks.present(item.value)) };
  }

  /** A result after which nothing follows. */
  #last(value: ExecutionResult): Step {
    if (this.#ended) return DONE;
    this.#counted(value);
    this.#end(false);
    return { done: false, value };
  }

  #counted(result: ExecutionResult): ExecutionResult {
    this.#results += 1;
    if (result.errors) this.#code ??= codeOf(result.errors[0]!);
    return result;
  }

  #end(cancelled: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    // Also at a normal end: whoever still works for this operation has nobody to work for.
    this.operation.controller.abort();
    this.#closeSource();
    if (cancelled) this.#wake?.(DONE);
    const ms = Math.round(performance.now() - this.#started);
    this.hooks.end({ results: this.#results, code: this.#code, cancelled, ms });
  }

  /** Not awaited: a source that is busy returns after its present step, and the client need not wait for that. */
  #closeSource(): void {
    void this.hooks.within(() => this.#source?.return().catch(() => undefined));
  }
}

/** Both libraries insist on GraphQLError instances: one whose JSON is the formatted error. */
function presentedError(presenter: ErrorPresenter, error: GraphQLError, requestId: string): GraphQLError {
  const formatted = presenter.present(error, requestId);
  return new GraphQLError(formatted.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    extensions: formatted.extensions,
  });
}
