-- CreateTable
CREATE TABLE "curated_row" (
    "run_id" UUID NOT NULL,
    "answer_id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "version_id" UUID,
    "basis" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "feedback_ids" UUID[],
    "document_ids" UUID[],
    "erased_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "curated_row_pkey" PRIMARY KEY ("run_id","answer_id")
);

-- CreateIndex
CREATE INDEX "curated_row_version_id_answer_id_idx" ON "curated_row"("version_id", "answer_id");

-- CreateIndex
CREATE INDEX "curated_row_answer_id_idx" ON "curated_row"("answer_id");
