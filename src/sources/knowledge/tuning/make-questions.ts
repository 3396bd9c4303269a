import { seededRandom } from '../../../kernel/random.js';
import type { SearchScope } from '../collection.js';
import type { DocumentStore } from '../document-store.js';
import type { Retriever } from '../retrieval/retriever.js';
import { clozeQuestion, clozeSentence, clozeWords } from './cloze.js';

/** A question and the passage that it was made of. */
interface MadeQuestion {
  question: string;
  chunkIds: string[];
}

/**
 * Questions made of a collection's own passages, without any model: sentences of passages that are drawn, without the words that tell
 * them apart. The same seed makes the same.
 * @param scope of one collection @param most passages that are drawn; not every one gives a question
 */
export async function makeQuestions(
  { documents, retriever }: { documents: Pick<DocumentStore, 'drawChunks'>; retriever: Pick<Retriever, 'termWeights'> },
  scope: SearchScope,
  { most, seed }: { most: number; seed: number },
): Promise<MadeQuestion[]> {
  const random = seededRandom(seed);
  const [collection] = scope.collections;
  const chunks = await documents.drawChunks(collection!.id, most, seed);
  const sentences = chunks.flatMap(({ id, text }) => {
    const sentence = clozeSentence(text, random());
    return sentence === null ? [] : [{ id, sentence }];
  });
  const words = clozeWords(sentences.map(({ sentence }) => sentence));
  const weights = await retriever.termWeights(scope, words);
  return sentences.flatMap(({ id, sentence }) => {
    const question = clozeQuestion(sentence, weights);
    return question === null ? [] : [{ question, chunkIds: [id] }];
  });
}
