import { checkedDocuments, INGESTION_LIMITS } from '../../../src/sources/knowledge/ingestion.js';
import type { Json } from '../../../src/platform/events/index.js';

const nested = (levels: number): Json => JSON.parse(`{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`) as Json;
const withMetadata = (metadata: Json) => checkedDocuments([{ name: 'a', text: 'x', metadata }]);

describe('metadata of documents', () => {
  it('is taken up to its depth', () => {
    const metadata = nested(INGESTION_LIMITS.metadataDepth);
    expect(withMetadata(metadata)[0]!.metadata).toEqual(metadata);
  });

  it.each([
    ['nested beyond the limit', nested(INGESTION_LIMITS.metadataDepth + 1)],
    ['nested beyond any stack', nested(4_900)],
    ['too large', { a: 'x'.repeat(INGESTION_LIMITS.metadata) }],
    ['with NUL', { a: 'b\0' }],
    ['with a lone surrogate', { '\ud800': 1 }],
    ['that is a list', []],
  ])('is refused %s', (_what, metadata) => {
    expect(() => withMetadata(metadata)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'input.documents.0.metadata' }),
    );
  });
});
