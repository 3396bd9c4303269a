-- The answers of an experiment or a rollout, newest first.
CREATE INDEX "answer_assignment_newest_idx" ON "answer" ("assignment_subject", "id") WHERE "assignment_subject" IS NOT NULL;
