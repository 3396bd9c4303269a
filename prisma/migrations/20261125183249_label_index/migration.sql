-- CreateTable
CREATE TABLE "label_index" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "dataset_version_id" UUID NOT NULL,
    "embedder_digest" TEXT NOT NULL,
    "rows" INTEGER NOT NULL,
    "fit" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "label_index_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "label_blend" (
    "label_index_id" UUID NOT NULL,
    "adapter_version_id" UUID NOT NULL,
    "weights" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "label_blend_pkey" PRIMARY KEY ("label_index_id","adapter_version_id")
);

-- CreateIndex
CREATE INDEX "label_index_workspace_id_id_idx" ON "label_index"("workspace_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "label_index_dataset_version_id_embedder_digest_key" ON "label_index"("dataset_version_id", "embedder_digest");

-- AddForeignKey
ALTER TABLE "label_blend" ADD CONSTRAINT "label_blend_label_index_id_fkey" FOREIGN KEY ("label_index_id") REFERENCES "label_index"("id") ON DELETE CASCADE ON UPDATE CASCADE;
