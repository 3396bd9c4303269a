import type { Attestation } from '../../src/sources/registry/index.js';

/** What an attestation found of a version that acts. */
export const PROOF: Attestation = {
  v: 1,
  digest: 'a'.repeat(64),
  variantSha256: 'b'.repeat(64),
  modules: { matched: 210, expected: 210 },
  probes: 8,
  cosine: 0.99,
  normRatio: 1.01,
  effect: 0.7,
  offIsBase: true,
  attestedAt: '2026-01-01T00:00:00.000Z',
};
