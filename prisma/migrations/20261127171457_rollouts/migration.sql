CREATE TABLE "rollout" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "adapter_id" UUID NOT NULL,
  "adapter" TEXT NOT NULL,
  "candidate_id" UUID NOT NULL,
  "candidate_version" INTEGER NOT NULL,
  "against_id" UUID NOT NULL,
  "against_version" INTEGER NOT NULL,
  "run_id" UUID NOT NULL,
  "status" TEXT NOT NULL,
  "awaits_approval" BOOLEAN NOT NULL DEFAULT false,
  "step" INTEGER NOT NULL DEFAULT 0,
  "share" DOUBLE PRECISION NOT NULL,
  "controls" DOUBLE PRECISION NOT NULL,
  "salt" UUID NOT NULL,
  "plan" JSONB NOT NULL,
  "state" JSONB NOT NULL,
  "gate" JSONB NOT NULL,
  "revision" INTEGER NOT NULL DEFAULT 0,
  "watched_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
  "last_sequence" BIGINT NOT NULL DEFAULT 0,
  "recent_sequences" BIGINT[] NOT NULL DEFAULT '{}',
  "idempotency_key" TEXT NOT NULL,
  "input_digest" TEXT NOT NULL,
  "started_by" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),

  CONSTRAINT "rollout_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "rollout_workspace_id_idempotency_key_key" ON "rollout" ("workspace_id", "idempotency_key");
CREATE INDEX "rollout_workspace_id_adapter_idx" ON "rollout" ("workspace_id", "adapter");
-- Two rollouts of one adapter would each take the other's users for their own.
CREATE UNIQUE INDEX "rollout_live_idx" ON "rollout" ("adapter_id") WHERE "finished_at" IS NULL;

CREATE TABLE "rollout_decision" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "rollout_id" UUID NOT NULL,
  "action" TEXT NOT NULL,
  "check" TEXT NOT NULL,
  "reasons" TEXT[] NOT NULL,
  "step" INTEGER NOT NULL,
  "share" DOUBLE PRECISION NOT NULL,
  "decided_by" TEXT,
  "reason" TEXT,
  "evidence" JSONB NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT "rollout_decision_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "rollout_decision_rollout_id_fkey" FOREIGN KEY ("rollout_id") REFERENCES "rollout" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "rollout_decision_rollout_id_id_idx" ON "rollout_decision" ("rollout_id", "id");

-- Whether a unit was answered before, and by another arm.
CREATE INDEX "answer_assignment_unit_idx" ON "answer" ("assignment_subject", "unit_hash", "assignment_stage", "assignment_sequence")
WHERE "unit_hash" IS NOT NULL;
