-- CreateTable
CREATE TABLE "router_version" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "embedder_digest" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "learned" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "router_version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "adapter_sample" (
    "workspace_id" UUID NOT NULL,
    "adapter_version_id" UUID NOT NULL,
    "embedder_digest" TEXT NOT NULL,
    "dimensions" INTEGER NOT NULL,
    "vectors" BYTEA NOT NULL,

    CONSTRAINT "adapter_sample_pkey" PRIMARY KEY ("adapter_version_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "router_version_workspace_id_version_key" ON "router_version"("workspace_id", "version");

-- CreateIndex
CREATE INDEX "adapter_sample_workspace_id_idx" ON "adapter_sample"("workspace_id");
