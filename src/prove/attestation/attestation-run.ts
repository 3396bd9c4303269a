import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { storedAttestation } from '../../sources/registry/index.js';
import { shippedProbe } from '../../learn/training/index.js';

export const attestation = defineRunKind({
  kind: 'ATTESTATION',
  description: 'An adapter version is shown to act where it is served as it does where it was trained.',
  subject: 'AdapterVersion',
  input: storedJson(
    z.object({
      adapterVersionId: z.string(),
      /** What it changes where it was trained, if that was measured there; else the train worker measures it. */
      trained: shippedProbe.optional(),
      /** Lets the version answer as soon as it is shown to act. */
      promotion: z.object({ by: z.string(), reason: z.string() }).optional(),
    }),
  ),
  output: storedAttestation,
  occupies: 'train-worker',
  brief: true,
});
export type AttestationContext = ContextOf<typeof attestation>;
