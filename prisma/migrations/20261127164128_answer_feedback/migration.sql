-- AlterTable
ALTER TABLE "answer" ADD COLUMN     "confidence" REAL,
ADD COLUMN     "disputed" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "feedback_count" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "feedback_wrong" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "task" TEXT;

-- What answers from before this were, as far as their body tells: an adapter's task, else the form of what was answered.
UPDATE "answer" SET
  "task" = coalesce(
    (SELECT "adapter"."task" FROM "adapter_version" JOIN "adapter" ON "adapter"."id" = "adapter_id" WHERE "adapter_version"."id" = "adapter_version_id"),
    CASE body #>> '{output,kind}' WHEN 'LABEL' THEN 'CLASSIFICATION' WHEN 'ENTITIES' THEN 'EXTRACTION' ELSE 'QUESTION_ANSWERING' END),
  "confidence" = coalesce(
    (SELECT (each->>'probability')::real FROM jsonb_array_elements(body #> '{output,probabilities}') AS each
      WHERE each->>'label' = body #>> '{output,label}' LIMIT 1),
    (body->>'answerability')::real)
WHERE "status" = 'COMPLETE';

-- CreateIndex
CREATE INDEX "answer_workspace_id_confidence_idx" ON "answer"("workspace_id", "confidence");

-- CreateIndex
CREATE INDEX "answer_workspace_id_created_at_idx" ON "answer"("workspace_id", "created_at");

-- Few answers get feedback: an index of those alone costs the others nothing.
CREATE INDEX "answer_with_feedback_idx" ON "answer"("workspace_id", "id") WHERE "feedback_count" > 0;
