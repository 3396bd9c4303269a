export { ChromaVectorStore } from './chroma-vector-store.js';
export type { VectorFilter, VectorRecord, VectorStore } from './vector-store.js';
