import { sha256, type Sha256 } from '../../../src/kernel/hashing.js';
import type { CatalogueEntry, FileSource } from '../../../src/platform/models-on-disk/index.js';

/** The catalogue's entry of a model of one file with this content; a null digest is one that the catalogue doesn't know. */
export const tinyEntry = (
  content: Buffer,
  sources: FileSource[],
  digest: Sha256 | null = sha256(content),
): CatalogueEntry => ({
  name: 'tiny',
  kind: 'generator',
  licence: 'Apache-2.0',
  parameters: 1,
  contextLength: 1,
  shape: { layers: 1, width: 1, vocabulary: 1, layerWeights: 1, contextBytes: 1, quantization: 'F32' },
  reader: false,
  files: [{ role: 'model', file: 'tiny.gguf', sha256: digest, bytes: content.length, sources }],
});
