export { ChromaVectorStore } from './chroma-vector-store.js';
export type { VectorRecord, VectorStore } from './vector-store.js';
