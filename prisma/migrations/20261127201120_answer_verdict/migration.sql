-- The first judgement of an answer that was drawn into something, by a number of its own: feedback comes when it comes, and is counted then.
CREATE TABLE "answer_verdict" (
  "sequence" BIGSERIAL NOT NULL,
  "answer_id" UUID NOT NULL,
  "subject" UUID NOT NULL,
  "arm" TEXT NOT NULL,
  "stage" INTEGER NOT NULL,
  "unit_hash" TEXT,
  "good" BOOLEAN NOT NULL,

  CONSTRAINT "answer_verdict_pkey" PRIMARY KEY ("answer_id"),
  CONSTRAINT "answer_verdict_answer_id_fkey" FOREIGN KEY ("answer_id") REFERENCES "answer" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "answer_verdict_subject_sequence_idx" ON "answer_verdict" ("subject", "sequence");
-- Whether a unit was heard before in the same stage.
CREATE INDEX "answer_verdict_unit_idx" ON "answer_verdict" ("subject", "unit_hash", "stage", "sequence") WHERE "unit_hash" IS NOT NULL;

-- Who says a second thing of an answer, or says it after somebody else, changes nothing of what was counted. (Semicolons are escaped: see metric_series.)
CREATE FUNCTION note_verdict() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO answer_verdict (answer_id, subject, arm, stage, unit_hash, good)
  SELECT id, assignment_subject, assignment_arm, assignment_stage, unit_hash, NEW.agrees
    FROM answer WHERE id = NEW.answer_id AND assignment_sequence IS NOT NULL
  ON CONFLICT (answer_id) DO NOTHING\x3b
  RETURN NULL\x3b
END';

CREATE TRIGGER verdict_given AFTER INSERT ON "feedback"
  FOR EACH ROW WHEN (NEW.answer_id IS NOT NULL AND NEW.agrees IS NOT NULL) EXECUTE FUNCTION note_verdict();

-- How far a rollout has heard them.
ALTER TABLE "rollout"
  ADD COLUMN "last_verdict" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "recent_verdicts" BIGINT[] NOT NULL DEFAULT '{}';
