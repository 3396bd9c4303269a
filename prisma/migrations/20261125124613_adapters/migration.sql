-- CreateTable
CREATE TABLE "adapter" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "model_id" UUID NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "adapter_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "adapter_version" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "adapter_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "weights_file_id" UUID NOT NULL,
    "config_file_id" UUID NOT NULL,
    "gguf_file_id" UUID NOT NULL,
    "gguf_sha256" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "rank" INTEGER NOT NULL,
    "alpha" DOUBLE PRECISION NOT NULL,
    "targets" TEXT[],
    "variant_id" UUID NOT NULL,
    "usage" JSONB NOT NULL,
    "origin" TEXT NOT NULL,
    "dataset_version_id" UUID,
    "run_id" UUID,
    "parent_id" UUID,
    "recipe" JSONB,
    "metrics" JSONB NOT NULL DEFAULT '{}',
    "attestation" JSONB,
    "scale" DOUBLE PRECISION NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "adapter_version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "adapter_alias" (
    "adapter_id" UUID NOT NULL,
    "alias" TEXT NOT NULL,
    "version_id" UUID NOT NULL,

    CONSTRAINT "adapter_alias_pkey" PRIMARY KEY ("adapter_id","alias")
);

-- CreateTable
CREATE TABLE "adapter_alias_change" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "adapter_id" UUID NOT NULL,
    "alias" TEXT NOT NULL,
    "from_version_id" UUID,
    "to_version_id" UUID,
    "changed_by" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "evidence" JSONB NOT NULL DEFAULT '{}',
    "is_rollback" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "adapter_alias_change_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "adapter_model_id_idx" ON "adapter"("model_id");

-- CreateIndex
CREATE UNIQUE INDEX "adapter_workspace_id_name_key" ON "adapter"("workspace_id", "name");

-- CreateIndex
CREATE INDEX "adapter_version_workspace_id_id_idx" ON "adapter_version"("workspace_id", "id");

-- CreateIndex
CREATE INDEX "adapter_version_variant_id_idx" ON "adapter_version"("variant_id");

-- CreateIndex
CREATE INDEX "adapter_version_dataset_version_id_idx" ON "adapter_version"("dataset_version_id");

-- CreateIndex
CREATE INDEX "adapter_version_run_id_idx" ON "adapter_version"("run_id");

-- CreateIndex
CREATE UNIQUE INDEX "adapter_version_adapter_id_version_key" ON "adapter_version"("adapter_id", "version");

-- CreateIndex
CREATE UNIQUE INDEX "adapter_version_adapter_id_digest_key" ON "adapter_version"("adapter_id", "digest");

-- CreateIndex
CREATE INDEX "adapter_alias_version_id_idx" ON "adapter_alias"("version_id");

-- CreateIndex
CREATE INDEX "adapter_alias_change_adapter_id_alias_id_idx" ON "adapter_alias_change"("adapter_id", "alias", "id");

-- CreateIndex
CREATE INDEX "adapter_alias_change_from_version_id_idx" ON "adapter_alias_change"("from_version_id");

-- CreateIndex
CREATE INDEX "adapter_alias_change_to_version_id_idx" ON "adapter_alias_change"("to_version_id");

-- AddForeignKey
ALTER TABLE "adapter" ADD CONSTRAINT "adapter_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "base_model"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_version" ADD CONSTRAINT "adapter_version_adapter_id_fkey" FOREIGN KEY ("adapter_id") REFERENCES "adapter"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_version" ADD CONSTRAINT "adapter_version_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "model_variant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_alias" ADD CONSTRAINT "adapter_alias_adapter_id_fkey" FOREIGN KEY ("adapter_id") REFERENCES "adapter"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_alias" ADD CONSTRAINT "adapter_alias_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "adapter_version"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_alias_change" ADD CONSTRAINT "adapter_alias_change_adapter_id_fkey" FOREIGN KEY ("adapter_id") REFERENCES "adapter"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_alias_change" ADD CONSTRAINT "adapter_alias_change_from_version_id_fkey" FOREIGN KEY ("from_version_id") REFERENCES "adapter_version"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adapter_alias_change" ADD CONSTRAINT "adapter_alias_change_to_version_id_fkey" FOREIGN KEY ("to_version_id") REFERENCES "adapter_version"("id") ON DELETE SET NULL ON UPDATE CASCADE;
