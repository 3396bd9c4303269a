import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { ImprovementOutcome } from './improvement.js';

export const improvementKind = defineRunKind({
  kind: 'IMPROVEMENT',
  description:
    'What people said of an adapter’s answers becomes a new version of it, which is proven, rolled out and proposed.',
  subject: 'Adapter',
  input: storedJson(z.object({ improvementId: z.string() })),
  output: storedJson(z.object({ outcome: z.enum(ImprovementOutcome), message: z.string() })),
  // It mostly waits for other runs, for days where one is a rollout.
  concurrency: 50,
  attempts: 50,
});
export type ImprovementContext = ContextOf<typeof improvementKind>;
