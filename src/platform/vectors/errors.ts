import { ChromaClientError, ChromaUniqueError, ChromaValueError, InvalidArgumentError } from 'chromadb';
import { GraftError } from '../../kernel/errors.js';

/** What the caller did wrong, as opposed to a server that can't be reached, is broken or refuses us. */
const OUR_FAULT = [ChromaClientError, ChromaUniqueError, ChromaValueError, InvalidArgumentError];

/** VECTOR_STORE_UNAVAILABLE for everything that another try may heal; a request that Chroma calls wrong stays as it is. */
export function mapChromaError(error: unknown): unknown {
  if (error instanceof GraftError || OUR_FAULT.some((type) => error instanceof type)) return error;
  return new GraftError('VECTOR_STORE_UNAVAILABLE', 'Chroma can’t be reached.', { cause: error });
}

export const indexMissing = (cause: unknown): GraftError =>
  new GraftError('VECTOR_STORE_UNAVAILABLE', 'Chroma does not hold this index.', {
    hint: 'Chroma’s data was lost or replaced: run rebuildIndex on each collection, and indexDataset where rows are asked.',
    cause,
  });
