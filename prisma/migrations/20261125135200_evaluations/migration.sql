-- CreateTable
CREATE TABLE "evaluation" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "adapter_version_id" UUID,
    "variant_id" UUID NOT NULL,
    "compared" BOOLEAN NOT NULL,
    "against_version_id" UUID,
    "dataset_version_id" UUID NOT NULL,
    "split" TEXT NOT NULL,
    "rows" INTEGER NOT NULL DEFAULT 0,
    "figures" JSONB,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "evaluation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "evaluation_row" (
    "evaluation_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "input" TEXT NOT NULL,
    "expected" TEXT NOT NULL,
    "answer" TEXT NOT NULL,
    "probability" DOUBLE PRECISION,
    "score" DOUBLE PRECISION NOT NULL,
    "against_answer" TEXT,
    "against_probability" DOUBLE PRECISION,
    "against_score" DOUBLE PRECISION,

    CONSTRAINT "evaluation_row_pkey" PRIMARY KEY ("evaluation_id","position")
);

-- CreateIndex
CREATE INDEX "evaluation_workspace_id_id_idx" ON "evaluation"("workspace_id", "id");

-- CreateIndex
CREATE INDEX "evaluation_adapter_version_id_idx" ON "evaluation"("adapter_version_id");

-- CreateIndex
CREATE INDEX "evaluation_dataset_version_id_idx" ON "evaluation"("dataset_version_id");

-- AddForeignKey
ALTER TABLE "evaluation_row" ADD CONSTRAINT "evaluation_row_evaluation_id_fkey" FOREIGN KEY ("evaluation_id") REFERENCES "evaluation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Rows that are erased are erased wherever they were answered, in the transaction that withdraws their version. A rule and not a
-- trigger: Prisma's own migrator cuts scripts at every semicolon, also at those inside a function.
CREATE RULE forget_evaluated_rows AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM evaluation_row USING evaluation
  WHERE evaluation.id = evaluation_row.evaluation_id AND evaluation.dataset_version_id = NEW.id;
