-- The shadow that a rollout was started upon: its evidence from before users met the candidate.
ALTER TABLE "rollout" ADD COLUMN "shadow_id" UUID;
