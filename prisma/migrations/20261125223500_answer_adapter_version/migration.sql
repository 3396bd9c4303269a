-- AlterTable
ALTER TABLE "answer" ADD COLUMN     "adapter_version_id" UUID;

-- Answers that were recorded before this name their adapter in their body alone.
UPDATE "answer" SET "adapter_version_id" = (body->'adapter'->>'versionId')::uuid WHERE body->'adapter'->>'versionId' IS NOT NULL;

-- CreateIndex
CREATE INDEX "answer_adapter_version_id_id_idx" ON "answer"("adapter_version_id", "id");
