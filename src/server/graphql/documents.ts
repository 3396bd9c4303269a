import {
  getOperationAST,
  GraphQLError,
  Kind,
  parse,
  specifiedRules,
  validate,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationTypeNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { neededRole, type OperationCost } from '../../kit/graphql/index.js';
import { isAllowed, type Role } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';
import { requireStorable } from '../../kernel/text.js';
import { checkCost } from './cost.js';
import { checkDocumentSize, checkShape, tooComplex, type Limits } from './limits.js';
import { nameToText, type OperationList } from './operation-list.js';
import {
  checkVariableSizes,
  MOST_REQUEST_ERRORS,
  variableBounds,
  variableErrors,
  type VariableBounds,
} from './variables.js';

/**
 * Root fields that compute for seconds: alone in their operation, never over GET, never cached.
 * They are queries because asking changes nothing that the caller owns.
 */
const EXCLUSIVE_FIELDS: ReadonlySet<string> = new Set(['ask', 'answerAll']);

/** A document that passed every check which doesn't depend on variables. */
interface PreparedDocument {
  readonly document: DocumentNode;
  /** Whether an operation of it holds a field of `EXCLUSIVE_FIELDS`. */
  readonly exclusive: boolean;
  /** How much variables may hold; undefined where no operation has any. */
  readonly bounds: VariableBounds | undefined;
  /** Costs of its operations by name, known when they don't depend on variables. */
  readonly costs: ReadonlyMap<string, number>;
  /** The role that each of its operations needs, by name. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Whether it is on the gateway's list; true where it has none. */
  readonly listed: boolean;
}

/** What kind of operation the request means; undefined when the document has no such operation, or several and no name. */
export const operationType = (prepared: PreparedDocument, name?: string | null): OperationTypeNode | undefined =>
  getOperationAST(prepared.document, name)?.operation;

/** Why a document or its variables can't run: several errors, because validation reports more than the first. */
export class RequestRefused extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super('The request was refused.');
  }
}

/** A document that is on no list, where only what is on one is answered. */
class Unlisted extends Error {
  constructor(readonly operation: string | undefined) {
    super('The operation is not listed.');
  }
}

const nameOf = ({ definitions }: DocumentNode): string | undefined =>
  definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION)?.name?.value;

const codedError = (error: GraphQLError, code: string): GraphQLError =>
  new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    extensions: { ...error.extensions, code },
  });

/**
 * Turns the text of a document into something that may run, once per text: the cheap checks first (size, tokens),
 * then the shape, then validation, then cost. Outcomes are kept, refusals too, so that a repeated bad document costs nothing.
 */
export class DocumentChecker {
  /** A text larger than a tenth of the budget is never kept; each counts a little more than its own length. */
  readonly #known: LRUCache<string, PreparedDocument | Error>;

  constructor(
    private readonly schema: GraphQLSchema,
    readonly limits: Limits,
    cacheCharacters = 4 * 1024 * 1024,
    /** Null where every document is answered. */
    private readonly list: OperationList | null = null,
  ) {
    this.#known = new LRUCache({
      maxSize: cacheCharacters,
      maxEntrySize: Math.floor(cacheCharacters / 10) + 100,
      sizeCalculation: (_outcome, source) => source.length + 100,
    });
  }

  /** @throws GraftError QUERY_TOO_COMPLEX or OPERATION_NOT_LISTED, or RequestRefused with syntax or validation errors */
  prepare(source: string): PreparedDocument {
    let outcome = this.#known.get(source);
    if (outcome === undefined) {
      outcome = this.#check(source);
      this.#known.set(source, outcome);
    }
    if (outcome instanceof Unlisted) this.list?.refuse(outcome.operation);
    if (outcome instanceof Error) throw outcome;
    if (!outcome.listed) this.list?.refuse(nameOf(outcome.document));
    return outcome;
  }

  /** Puts the text into a request that names a listed operation in its place (`extensions.persistedQuery`). @throws OPERATION_NOT_LISTED */
  putText(request: unknown): void {
    if (this.list !== null) nameToText(this.list, request);
  }

  /**
   * Checks what depends on variables: first the lengths of lists, then whether values fit their types, then cost.
   * @returns the cost of the operation
   * @throws BAD_USER_INPUT, QUERY_TOO_COMPLEX, or RequestRefused with the first errors about the variables
   */
  checkVariables(
    { document, bounds, costs }: PreparedDocument,
    operationName?: string | null,
    variables?: Readonly<Record<string, unknown>> | null,
  ): OperationCost {
    const operation = getOperationAST(document, operationName);
    const cachedCost = costs.get(operation?.name?.value ?? '');
    const limit = this.limits.cost;
    if (cachedCost !== undefined || !operation) return { requested: cachedCost ?? 0, limit };
    const values = variables ?? {};
    if (bounds) checkVariableSizes(this.schema, operation, values, bounds);
    const errors = variableErrors(this.schema, operation, values);
    if (errors.length > 0) throw new RequestRefused(errors.map((error) => codedError(error, 'BAD_USER_INPUT')));
    return { requested: checkCost(this.schema, { document, operationName, variables: values }, this.limits), limit };
  }

  #check(source: string): PreparedDocument | Error {
    try {
      checkDocumentSize(source, this.limits);
      const document = this.#parse(source);
      const rootFields = checkShape(document, this.limits);
      const listed = this.list === null || this.list.has(document);
      // Neither what validation says of the schema nor its time is for what is refused anyway.
      if (!listed && this.list?.mode === 'enforce') return new Unlisted(nameOf(document));
      const errors = validate(this.schema, document, specifiedRules, { maxErrors: MOST_REQUEST_ERRORS });
      if (errors.length > 0)
        return new RequestRefused(errors.map((error) => codedError(error, 'GRAPHQL_VALIDATION_FAILED')));
      visit(document, { StringValue: ({ value }) => requireStorable(value, 'The document') });
      let exclusive = false;
      for (const fields of rootFields.values()) {
        if (!fields.some((field) => EXCLUSIVE_FIELDS.has(field))) continue;
        exclusive = true;
        if (fields.filter((field) => field !== '__typename').length > 1)
          throw new GraftError(
            'QUERY_TOO_COMPLEX',
            `${fields.join(', ')}: ask and answerAll stand alone in an operation.`,
            {
              hint: 'Send one operation for each question.',
            },
          );
      }
      const roles = new Map([...rootFields].map(([name, fields]) => [name, this.#role(document, name, fields)]));
      const hasVariables = document.definitions.some(
        (definition) => 'variableDefinitions' in definition && (definition.variableDefinitions?.length ?? 0) > 0,
      );
      if (hasVariables)
        return { document, exclusive, bounds: variableBounds(this.schema, document), costs: new Map(), roles, listed };
      const costs = new Map<string, number>();
      for (const operationName of rootFields.keys())
        costs.set(operationName, checkCost(this.schema, { document, operationName }, this.limits));
      return { document, exclusive, bounds: undefined, costs, roles, listed };
    } catch (error) {
      // graphql-js reads and validates by recursion: a few thousand brackets inside each other end the stack.
      if (error instanceof RangeError)
        return new GraftError('QUERY_TOO_COMPLEX', 'The document’s brackets are nested too deeply to be read.');
      return error as Error;
    }
  }

  /** The most that its fields need; what declares nothing answers nobody, and needs no more to stop. */
  #role(document: DocumentNode, name: string, fields: readonly string[]): Role {
    const operation = getOperationAST(document, name === '' ? null : name)?.operation;
    const rootFields = operation === undefined ? {} : (this.schema.getRootType(operation)?.getFields() ?? {});
    return fields.reduce<Role>((highestRole, field) => {
      const fieldRole = rootFields[field] && neededRole(rootFields[field]);
      return fieldRole === undefined || isAllowed(highestRole, fieldRole) ? highestRole : fieldRole;
    }, 'ASK');
  }

  #parse(source: string): DocumentNode {
    try {
      return parse(source, { maxTokens: this.limits.tokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      // graphql-js counts for us but has no code for it.
      if (error.message.includes('tokens. Parsing aborted'))
        throw tooComplex('number of tokens', this.limits.tokens + 1, this.limits.tokens);
      throw new RequestRefused([codedError(error, 'GRAPHQL_PARSE_FAILED')]);
    }
  }
}
