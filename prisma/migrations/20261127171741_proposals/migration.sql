CREATE TABLE "proposal" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "adapter_id" UUID NOT NULL,
  "adapter" TEXT NOT NULL,
  "candidate_id" UUID NOT NULL,
  "candidate_version" INTEGER NOT NULL,
  "replaces_id" UUID,
  "replaces_version" INTEGER,
  "rollout_id" UUID,
  "experiment_id" UUID,
  "gate" JSONB NOT NULL,
  "status" TEXT NOT NULL,
  "proposed_by" TEXT NOT NULL,
  "rationale" TEXT NOT NULL,
  "decided_by" TEXT,
  "reason" TEXT,
  "decided_at" TIMESTAMPTZ(6),
  "alias_change_id" UUID,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT "proposal_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "proposal_workspace_id_status_idx" ON "proposal" ("workspace_id", "status");
CREATE INDEX "proposal_rollout_id_idx" ON "proposal" ("rollout_id");
CREATE UNIQUE INDEX "proposal_open_idx" ON "proposal" ("adapter_id") WHERE "status" = 'OPEN';
