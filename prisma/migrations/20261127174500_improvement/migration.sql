CREATE TABLE "retraining_policy" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "adapter_id" UUID NOT NULL,
  "settings" JSONB NOT NULL,
  "paused_reason" TEXT,
  "set_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT "retraining_policy_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "retraining_policy_adapter_id_fkey" FOREIGN KEY ("adapter_id") REFERENCES "adapter" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE UNIQUE INDEX "retraining_policy_adapter_id_key" ON "retraining_policy" ("adapter_id");
CREATE INDEX "retraining_policy_workspace_id_id_idx" ON "retraining_policy" ("workspace_id", "id");

CREATE TABLE "improvement" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "adapter_id" UUID NOT NULL,
  "run_id" UUID NOT NULL,
  "policy_id" UUID,
  "trigger" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "started_by" TEXT NOT NULL,
  "settings" JSONB NOT NULL,
  "production_id" UUID,
  "curation_run_id" UUID,
  "dataset_version_id" UUID,
  "training_run_ids" UUID[] NOT NULL DEFAULT '{}',
  "evaluation_run_ids" UUID[] NOT NULL DEFAULT '{}',
  "adapter_version_id" UUID,
  "rollout_id" UUID,
  "proposal_id" UUID,
  "outcome" TEXT,
  "message" TEXT NOT NULL DEFAULT '',
  "new_rows" INTEGER NOT NULL DEFAULT 0,
  "training_seconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
  "evaluation_seconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),

  CONSTRAINT "improvement_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "improvement_adapter_id_fkey" FOREIGN KEY ("adapter_id") REFERENCES "adapter" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "improvement_workspace_id_id_idx" ON "improvement" ("workspace_id", "id");
CREATE INDEX "improvement_adapter_id_id_idx" ON "improvement" ("adapter_id", "id");
CREATE INDEX "improvement_dataset_version_id_idx" ON "improvement" ("dataset_version_id");
CREATE INDEX "improvement_adapter_version_id_idx" ON "improvement" ("adapter_version_id");
-- Two at once would each train the adapter on rows that the other doesn't have.
CREATE UNIQUE INDEX "improvement_live_idx" ON "improvement" ("adapter_id") WHERE "finished_at" IS NULL;
