-- What is said of an answer later has a number of its own, from the same sequence as answers, whatever any clock says.
ALTER TABLE "answer" ADD COLUMN "feedback_sequence" BIGINT;
CREATE INDEX "answer_assignment_feedback_idx" ON "answer" ("assignment_subject", "feedback_sequence") WHERE "feedback_sequence" IS NOT NULL;

CREATE TABLE "experiment" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "name" TEXT NOT NULL,
  "adapter" TEXT,
  "adapter_id" UUID,
  "production_id" UUID,
  "run_id" UUID,
  "status" TEXT NOT NULL,
  "phase" INTEGER NOT NULL DEFAULT 0,
  "salt" UUID NOT NULL,
  "plan" JSONB NOT NULL,
  "state" JSONB NOT NULL,
  "revision" INTEGER NOT NULL DEFAULT 0,
  "watched_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
  "last_sequence" BIGINT NOT NULL DEFAULT 0,
  "recent_sequences" BIGINT[] NOT NULL DEFAULT '{}',
  "last_feedback" BIGINT NOT NULL DEFAULT 0,
  "recent_feedback" BIGINT[] NOT NULL DEFAULT '{}',
  "verdict" TEXT NOT NULL DEFAULT 'INCONCLUSIVE',
  "winner" TEXT,
  "final" BOOLEAN NOT NULL DEFAULT false,
  "idempotency_key" TEXT NOT NULL,
  "input_digest" TEXT NOT NULL,
  "created_by" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "started_at" TIMESTAMPTZ(6),
  "finished_at" TIMESTAMPTZ(6),

  CONSTRAINT "experiment_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "experiment_workspace_id_idempotency_key_key" ON "experiment" ("workspace_id", "idempotency_key");
CREATE INDEX "experiment_workspace_id_id_idx" ON "experiment" ("workspace_id", "id");
CREATE INDEX "experiment_live_idx" ON "experiment" ("id") WHERE "run_id" IS NOT NULL AND "finished_at" IS NULL;

CREATE TABLE "experiment_decision" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "experiment_id" UUID NOT NULL,
  "action" TEXT NOT NULL,
  "reasons" TEXT[] NOT NULL,
  "phase" INTEGER NOT NULL,
  "answers" INTEGER NOT NULL,
  "decided_by" TEXT,
  "reason" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT "experiment_decision_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "experiment_decision_experiment_id_fkey" FOREIGN KEY ("experiment_id") REFERENCES "experiment" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "experiment_decision_experiment_id_id_idx" ON "experiment_decision" ("experiment_id", "id");

-- Intervals as they were after so many answers, ever further apart, for their plot.
CREATE TABLE "experiment_point" (
  "experiment_id" UUID NOT NULL,
  "phase" INTEGER NOT NULL,
  "answers" INTEGER NOT NULL,
  "comparisons" JSONB NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT "experiment_point_pkey" PRIMARY KEY ("experiment_id", "phase", "answers"),
  CONSTRAINT "experiment_point_experiment_id_fkey" FOREIGN KEY ("experiment_id") REFERENCES "experiment" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- A unit while the experiment runs: its arm, what was counted of it, and how it was before. They go with the experiment's end.
CREATE TABLE "experiment_unit" (
  "experiment_id" UUID NOT NULL,
  "unit_hash" TEXT NOT NULL,
  "phase" INTEGER NOT NULL,
  "arm" TEXT NOT NULL,
  "several" BOOLEAN NOT NULL DEFAULT false,
  "taken" TEXT[] NOT NULL DEFAULT '{}',
  "before_metrics" TEXT[] NOT NULL DEFAULT '{}',
  "before_counts" DOUBLE PRECISION[] NOT NULL DEFAULT '{}',
  "before_sums" DOUBLE PRECISION[] NOT NULL DEFAULT '{}',

  CONSTRAINT "experiment_unit_pkey" PRIMARY KEY ("experiment_id", "unit_hash"),
  CONSTRAINT "experiment_unit_experiment_id_fkey" FOREIGN KEY ("experiment_id") REFERENCES "experiment" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- What was counted of the feedback on an answer, so that it can be taken back when somebody says something else.
CREATE TABLE "experiment_feedback" (
  "experiment_id" UUID NOT NULL,
  "answer_id" UUID NOT NULL,
  "opinion" BOOLEAN,
  "expected" BOOLEAN,

  CONSTRAINT "experiment_feedback_pkey" PRIMARY KEY ("experiment_id", "answer_id"),
  CONSTRAINT "experiment_feedback_experiment_id_fkey" FOREIGN KEY ("experiment_id") REFERENCES "experiment" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
