import type { ErasedDocument, Holder, Traces } from '../../../platform/erasure/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import { storedBody, type AnswerBody, type Span } from '../answer.js';
import type { AnswerStore } from './answer-store.js';
import { DELETED_TEXT } from './on-erasure.js';

interface QuotingRow {
  id: string;
  body: unknown;
}

/**
 * Recorded answers as holders of what people wrote. What was told of a person is deleted. What quotes a deleted document
 * stays as a record that a question was answered, without the quotes and without the text that rests on them.
 */
export const answerHolder = (database: Database, answers: AnswerStore): Holder => ({
  name: 'answers',
  async erase({ workspaceId, person, documents = [] }: Traces): Promise<number> {
    const forgotten = person === undefined ? 0 : await answers.forget(workspaceId, person);
    return documents.length === 0
      ? forgotten
      : forgotten + (await database.prisma.$transaction((tx) => eraseQuotes(tx, answers, workspaceId, documents)));
  },
});

async function eraseQuotes(
  tx: Transaction,
  answers: AnswerStore,
  workspaceId: WorkspaceId,
  documents: readonly ErasedDocument[],
): Promise<number> {
  const names = documents.map(({ name }) => name);
  // Passages of a prompt go by the document's name; whether it is this document's, `isErased` tells.
  const rows = await tx.$queryRaw<QuotingRow[]>`
    SELECT id, body FROM answer WHERE workspace_id = ${workspaceId}::uuid AND status = 'COMPLETE' AND jsonb_path_exists(
      body, '$.*[*].documentName ? (@ == $names[*])',
      jsonb_build_object('names', ${JSON.stringify(names)}::jsonb)) ORDER BY id FOR UPDATE`;
  const erased: string[] = [];
  for (const { id, body } of rows) {
    const redactedBody = withoutQuotes(storedBody.decode(body), documents);
    if (redactedBody === null) continue;
    await tx.$executeRaw`
      UPDATE answer SET text = ${DELETED_TEXT}, body = ${JSON.stringify(storedBody.encode(redactedBody))}::jsonb WHERE id = ${id}::uuid`;
    erased.push(id);
  }
  await answers.erasing(tx, { workspaceId, ids: erased, kept: true });
  return erased.length;
}

/** @returns null when nothing in it comes from the documents, or all of that is erased already */
function withoutQuotes(body: AnswerBody, documents: readonly ErasedDocument[]): AnswerBody | null {
  const chunks = new Set(documents.flatMap(({ chunkIds }) => chunkIds));
  const isErased = (span: Span): boolean =>
    documents.some(
      ({ id, name, collectionName }) =>
        span.documentId === id || (span.documentName === name && span.collectionName === collectionName),
    );
  const erase = <T extends Span>(span: T): T =>
    isErased(span) ? { ...span, quote: '', headings: [], sourceDeleted: true } : span;
  const { evidence, citations, conflicts = [] } = body;
  const spans = [...evidence, ...citations, ...conflicts.flatMap(({ quotes }) => quotes)].filter(isErased);
  const read = body.passages.some(({ chunkId, used }) => used && chunks.has(chunkId));
  if (!read && spans.every(({ sourceDeleted }) => sourceDeleted === true)) return null;
  // A conflict without one of its sides says nothing, and its other side may repeat the words that go.
  const standing = conflicts.filter(({ quotes }) => !quotes.some(isErased));
  return { ...body, evidence: evidence.map(erase), citations: citations.map(erase), conflicts: standing };
}
