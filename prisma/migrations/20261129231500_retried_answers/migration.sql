-- An answer that failed and is asked again under its request id is one row with a new outcome. The one before counts for its test as well: else a
-- candidate that fails at first would look as good as one that never does, where clients retry before anybody looks.
CREATE TABLE "answer_attempt" (
  "sequence" BIGINT NOT NULL,
  "answer_id" UUID NOT NULL,
  "subject" UUID NOT NULL,
  "arm" TEXT NOT NULL,
  "stage" INTEGER NOT NULL,
  "unit_hash" TEXT,
  "status" TEXT NOT NULL,
  "latency_ms" DOUBLE PRECISION,

  CONSTRAINT "answer_attempt_pkey" PRIMARY KEY ("sequence"),
  CONSTRAINT "answer_attempt_answer_id_fkey" FOREIGN KEY ("answer_id") REFERENCES "answer" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "answer_attempt_answer_idx" ON "answer_attempt" ("answer_id");
CREATE INDEX "answer_attempt_subject_sequence_idx" ON "answer_attempt" ("subject", "sequence");
-- Whether a unit was asked before in the same stage.
CREATE INDEX "answer_attempt_unit_idx" ON "answer_attempt" ("subject", "unit_hash", "stage", "sequence") WHERE "unit_hash" IS NOT NULL;

ALTER TABLE "answer_attempt" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "answer_attempt"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM answer WHERE answer.id = answer_id));

-- (Semicolons are escaped: see metric_series.)
CREATE FUNCTION note_attempt() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO answer_attempt (sequence, answer_id, subject, arm, stage, unit_hash, status, latency_ms)
  VALUES (OLD.assignment_sequence, OLD.id, OLD.assignment_subject, OLD.assignment_arm, OLD.assignment_stage, OLD.unit_hash, OLD.status, OLD.latency_ms)\x3b
  RETURN NULL\x3b
END';

CREATE TRIGGER answer_retried AFTER UPDATE OF status ON "answer"
  FOR EACH ROW WHEN (OLD.status IN ('FAILED', 'CANCELLED') AND NEW.status = 'RUNNING' AND OLD.assignment_sequence IS NOT NULL)
  EXECUTE FUNCTION note_attempt();
