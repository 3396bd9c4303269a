export { ChromaVectorStore } from './chroma-vector-store.js';
export type { VectorFilter, VectorHit, VectorRecord, VectorStore } from './vector-store.js';
