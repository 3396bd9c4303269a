-- What is said of an answer is noted like the answer itself. (The semicolons of the function are escaped: see metric_series.)
CREATE FUNCTION note_feedback() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO metric_outbox (workspace_id, kind, subject_id, status, at)
  VALUES (NEW.workspace_id, \'FEEDBACK\', NEW.id, NEW.kind, NEW.created_at)\x3b
  RETURN NULL\x3b
END';

CREATE TRIGGER feedback_given AFTER INSERT ON "feedback"
  FOR EACH ROW WHEN (NEW.answer_id IS NOT NULL) EXECUTE FUNCTION note_feedback();

INSERT INTO "metric_outbox" ("workspace_id", "kind", "subject_id", "status", "at")
  SELECT "workspace_id", 'FEEDBACK', "id", "kind", "created_at" FROM "feedback" WHERE "answer_id" IS NOT NULL ORDER BY "id";
