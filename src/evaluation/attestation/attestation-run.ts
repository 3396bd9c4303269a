import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { storedAttestation } from '../../registry/index.js';

export const attestation = defineRunKind({
  kind: 'ATTESTATION',
  description: 'An adapter version is shown to act where it is served as it does where it was trained.',
  input: storedJson(z.object({ adapterVersionId: z.string() })),
  output: storedAttestation,
  occupies: 'train-worker',
});
export type AttestationContext = ContextOf<typeof attestation>;
