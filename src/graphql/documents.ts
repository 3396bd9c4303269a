import {
  getOperationAST,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationTypeNode,
} from 'graphql';
import { GraftError } from '../kernel/errors.js';
import { checkCost } from './cost.js';
import { checkDocumentSize, checkShape, tooComplex, type Limits } from './limits.js';

/**
 * Root fields that compute for seconds: alone in their operation, never over GET, never cached.
 * They are queries because asking changes nothing that the caller owns.
 */
const EXCLUSIVE_FIELDS: ReadonlySet<string> = new Set(['ask', 'answerAll']);

/** A document that passed every check which doesn't depend on variables. */
export interface PreparedDocument {
  readonly document: DocumentNode;
  /** Whether an operation of it holds a field of `EXCLUSIVE_FIELDS`. */
  readonly exclusive: boolean;
  /** Whether its cost can differ between requests; where it can't, `prepare` has checked it. */
  readonly hasVariables: boolean;
}

/** What kind of operation the request means; undefined when the document has no such operation, or several and no name. */
export const operationType = (prepared: PreparedDocument, name?: string | null): OperationTypeNode | undefined =>
  getOperationAST(prepared.document, name)?.operation;

/** Why a document can't run: several errors, because validation reports all it finds. */
export class DocumentRefused extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super('The document was refused.');
  }
}

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
  readonly #known = new Map<string, PreparedDocument | Error>();
  #knownCharacters = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    readonly limits: Limits,
    private readonly cacheCharacters = 4 * 1024 * 1024,
  ) {}

  /** @throws GraftError QUERY_TOO_COMPLEX, or DocumentRefused with syntax or validation errors */
  prepare(source: string): PreparedDocument {
    let outcome = this.#known.get(source);
    if (outcome === undefined) {
      outcome = this.#check(source);
      this.#keep(source, outcome);
    }
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** Checks what depends on variables. @throws QUERY_TOO_COMPLEX */
  checkVariables(
    prepared: PreparedDocument,
    operationName?: string | null,
    variables?: Readonly<Record<string, unknown>> | null,
  ): void {
    if (prepared.hasVariables)
      checkCost(this.schema, { document: prepared.document, operationName, variables }, this.limits);
  }

  #check(source: string): PreparedDocument | Error {
    try {
      checkDocumentSize(source, this.limits);
      const document = this.#parse(source);
      const rootFields = checkShape(document, this.limits);
      const errors = validate(this.schema, document, specifiedRules, { maxErrors: 20 });
      if (errors.length > 0)
        return new DocumentRefused(errors.map((error) => codedError(error, 'GRAPHQL_VALIDATION_FAILED')));
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
      const hasVariables = document.definitions.some(
        (definition) => 'variableDefinitions' in definition && (definition.variableDefinitions?.length ?? 0) > 0,
      );
      if (!hasVariables) checkCost(this.schema, { document }, this.limits);
      return { document, exclusive, hasVariables };
    } catch (error) {
      // graphql-js reads and validates by recursion: a few thousand brackets inside each other end the stack.
      if (error instanceof RangeError)
        return new GraftError('QUERY_TOO_COMPLEX', 'The document’s brackets are nested too deeply to be read.');
      return error as Error;
    }
  }

  #parse(source: string): DocumentNode {
    try {
      return parse(source, { maxTokens: this.limits.tokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      // graphql-js counts for us but has no code for it.
      if (error.message.includes('tokens. Parsing aborted'))
        throw tooComplex('number of tokens', this.limits.tokens + 1, this.limits.tokens);
      throw new DocumentRefused([codedError(error, 'GRAPHQL_PARSE_FAILED')]);
    }
  }

  /** Forgets the oldest texts beyond the budget; a text larger than a tenth of it is never kept. */
  #keep(source: string, outcome: PreparedDocument | Error): void {
    if (source.length > this.cacheCharacters / 10) return;
    this.#known.set(source, outcome);
    this.#knownCharacters += source.length + 100;
    for (const [oldest] of this.#known) {
      if (this.#knownCharacters <= this.cacheCharacters) break;
      this.#known.delete(oldest);
      this.#knownCharacters -= oldest.length + 100;
    }
  }
}
