-- A source is what one caller calls so: under the key of another the same name is another source, so that nobody speaks for anybody else.
-- The line of the key that feedback came with, empty where none was asked for and of what was given before this was kept, and the key's name.
ALTER TABLE "feedback"
  ADD COLUMN "given_by" TEXT NOT NULL DEFAULT '',
  ADD COLUMN "given_by_name" TEXT;

DROP INDEX "feedback_workspace_id_source_kind_source_name_key_key";
CREATE UNIQUE INDEX "feedback_workspace_id_given_by_source_kind_source_name_key_key"
  ON "feedback"("workspace_id", "given_by", "source_kind", "source_name", "key");

DROP INDEX "feedback_standing_on_answer_key";
CREATE UNIQUE INDEX "feedback_standing_on_answer_key" ON "feedback"("answer_id", "kind", "given_by", "source_kind", "source_name")
  WHERE "superseded_at" IS NULL AND "answer_id" IS NOT NULL;
DROP INDEX "feedback_standing_on_conversation_key";
CREATE UNIQUE INDEX "feedback_standing_on_conversation_key" ON "feedback"("workspace_id", "conversation_id", "kind", "given_by", "source_kind", "source_name")
  WHERE "superseded_at" IS NULL AND "answer_id" IS NULL;
