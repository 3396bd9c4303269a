import { choice } from '../../../kernel/record.js';
import { z } from 'zod';
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
export const RolloutAction = choice('RolloutAction', 'What was decided of a rollout.', {
  START: 'It began.',
  ROLL_BACK: 'Back to production, because a guardrail was crossed.',
  HOLD: 'Stay at this step; the reasons say for what.',
  AWAIT_APPROVAL: 'The step has passed, and a person must approve before it is left.',
  ADVANCE: 'On to the next step.',
  COMPLETE: 'The candidate became production.',
  PAUSE: 'A person paused it.',
  RESUME: 'A person let it go on.',
  APPROVE: 'A person approved that the step is left.',
  JUMP: 'A person moved it to another step.',
  ABORT: 'It was ended without the candidate.',
});
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
