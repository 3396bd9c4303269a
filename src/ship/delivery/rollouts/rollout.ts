import { z } from 'zod';
import { enumeration } from '../../../kernel/enumeration.js';
import { anyJson, storedJson, type ValueOf } from '../../../kernel/stored-json.js';
import type { Prisma } from '../../../platform/database/index.js';
import { rolloutState, type Command } from './decide.js';
import { bounds } from './measures.js';
import { rolloutPlan, type RolloutPlan } from './plan.js';
import type { Watch } from './watch.js';

export type RolloutRow = Prisma.RolloutGetPayload<object>;
export type RolloutDecisionRow = Prisma.RolloutDecisionGetPayload<object>;

export const isLive = (status: string): boolean => status === 'RUNNING' || status === 'PAUSED';

/** What was decided, and by which check. `START` is ours, the others those of `decide.ts`. */
export const RolloutAction = enumeration(
  ...(['START', 'ROLL_BACK', 'HOLD', 'AWAIT_APPROVAL', 'ADVANCE', 'COMPLETE'] as const),
  ...(['PAUSE', 'RESUME', 'APPROVE', 'JUMP', 'ABORT'] as const),
);
export type RolloutAction = keyof typeof RolloutAction;

/** The column `plan`. */
export const storedPlan = storedJson<RolloutPlan>(rolloutPlan);

/** The column `state`: what the next decision goes on from. */
export const storedState = storedJson(
  z.object({
    state: rolloutState,
    /** What has been counted, of every step. */
    watch: z.custom<Watch>((value) => typeof value === 'object' && value !== null),
    bounds,
    /** The last hold that was told, so that it is told once. */
    told: z.string().nullable(),
  }),
);
export type KeptState = ValueOf<typeof storedState>;

/** The column `evidence` of a decision: counts and evidence of each figure at that moment, for whoever looks at it. */
export const storedDecisionEvidence = storedJson(anyJson);

/** What a person wants of a rollout, and why. */
export interface Order {
  command: Command;
  by: string;
  reason: string;
}
