ALTER TABLE "answer"
  ADD COLUMN "latency_ms" REAL,
  ADD COLUMN "assignment_kind" TEXT,
  ADD COLUMN "assignment_subject" UUID,
  ADD COLUMN "assignment_arm" TEXT,
  ADD COLUMN "assignment_stage" INTEGER,
  ADD COLUMN "assignment_bucket" DOUBLE PRECISION,
  ADD COLUMN "assignment_probability" DOUBLE PRECISION,
  ADD COLUMN "assignment_forced" BOOLEAN,
  ADD COLUMN "unit_hash" TEXT,
  ADD COLUMN "assignment_sequence" BIGINT;

-- Numbers are taken when an answer is settled, whatever any clock says.
CREATE SEQUENCE "answer_assignment_sequence";

-- What an experiment or a rollout counts, in the order of its numbers. Most answers are in none.
CREATE INDEX "answer_assignment_idx" ON "answer" ("assignment_subject", "assignment_sequence") WHERE "assignment_subject" IS NOT NULL;
