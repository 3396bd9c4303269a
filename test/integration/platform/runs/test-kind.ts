import { z } from 'zod';
import { anyJson, storedJson } from '../../../../src/kernel/stored-json.js';
import { defineRunKind } from '../../../../src/platform/runs/index.js';

/** A kind that works on anything, with one event, a checkpoint, and what a test wants of it. */
export const testKind = ({ kind = 'TEST', ...more }: TestKindOptions = {}) =>
  defineRunKind({
    ...more,
    kind,
    description: 'A test works.',
    input: storedJson(anyJson),
    output: storedJson(anyJson),
    checkpoint: storedJson(z.object({ step: z.number() })),
    events: { progress: storedJson(anyJson), document: storedJson(z.object({ name: z.string() })) },
  });

export interface TestKindOptions {
  kind?: string;
  concurrency?: number;
  attempts?: number;
  pausable?: boolean;
  occupies?: string;
  brief?: boolean;
}
