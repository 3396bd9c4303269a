export { ChromaVectorStore, type ChromaPlace } from './chroma-vector-store.js';
export type { VectorFilter, VectorRecord, VectorStore } from './vector-store.js';
