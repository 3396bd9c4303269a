-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "groups" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "answer" ADD COLUMN     "read_from" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "document_label" (
    "workspace_id" UUID NOT NULL,
    "collection_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "access" TEXT[],
    "changed_by" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "document_label_pkey" PRIMARY KEY ("collection_id","name")
);

-- CreateIndex
CREATE INDEX "document_label_workspace_id_source_idx" ON "document_label"("workspace_id", "source");

-- AddForeignKey
ALTER TABLE "document_label" ADD CONSTRAINT "document_label_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collection"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Answers that were recorded before say, too, which documents they read
UPDATE "answer" SET "read_from" = ARRAY(
  SELECT (span->>'collectionName') || '/' || (span->>'documentName')
    FROM jsonb_path_query("body", '$.*[*] ? (exists(@.documentName))') AS span
   WHERE span->>'collectionName' IS NOT NULL
  UNION
  SELECT k."name" || '/' || d."name"
    FROM jsonb_path_query("body", '$.passages[*].chunkId') AS passage
    JOIN "chunk" c ON c."id" = (passage #>> '{}')::uuid
    JOIN "document" d ON d."id" = c."document_id" JOIN "collection" k ON k."id" = d."collection_id");
