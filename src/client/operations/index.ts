/** The operations of `schema/operations` as typed documents, for any GraphQL client that takes a `TypedDocumentNode`. */
export * from './generated/operations.js';
