-- CreateTable
CREATE TABLE "dataset" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "task" TEXT NOT NULL,
    "labels" TEXT[],
    "language" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dataset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dataset_version" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "manifest" JSONB NOT NULL,
    "sources" JSONB NOT NULL,
    "counts" JSONB NOT NULL,
    "statistics" JSONB NOT NULL,
    "report" JSONB NOT NULL,
    "open_errors" INTEGER NOT NULL,
    "withdrawn_at" TIMESTAMPTZ(6),
    "withdrawn_reason" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dataset_version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dataset_row_group" (
    "version_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "file_id" UUID NOT NULL,
    "sha256" TEXT NOT NULL,
    "rows" INTEGER NOT NULL,
    "quarantined" BOOLEAN NOT NULL,

    CONSTRAINT "dataset_row_group_pkey" PRIMARY KEY ("version_id","position")
);

-- CreateTable
CREATE TABLE "dataset_parent" (
    "version_id" UUID NOT NULL,
    "parent_id" UUID NOT NULL,

    CONSTRAINT "dataset_parent_pkey" PRIMARY KEY ("version_id","parent_id")
);

-- CreateTable
CREATE TABLE "feature_view" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "entity" TEXT NOT NULL,
    "fields" JSONB NOT NULL,
    "ttl_seconds" INTEGER,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "feature_view_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "feature_row" (
    "id" UUID NOT NULL,
    "view_id" UUID NOT NULL,
    "entity" TEXT NOT NULL,
    "event_time" TIMESTAMPTZ(3) NOT NULL,
    "created_time" TIMESTAMPTZ(3) NOT NULL,
    "values" JSONB NOT NULL,

    CONSTRAINT "feature_row_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "training_examples" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "dataset_version_id" UUID NOT NULL,
    "digest" TEXT NOT NULL,
    "file_id" UUID NOT NULL,
    "sha256" TEXT NOT NULL,
    "examples" INTEGER NOT NULL,
    "tokens" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "training_examples_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "dataset_workspace_id_name_key" ON "dataset"("workspace_id", "name");

-- CreateIndex
CREATE INDEX "dataset_version_workspace_id_id_idx" ON "dataset_version"("workspace_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "dataset_version_dataset_id_version_key" ON "dataset_version"("dataset_id", "version");

-- CreateIndex
CREATE UNIQUE INDEX "dataset_version_dataset_id_digest_key" ON "dataset_version"("dataset_id", "digest");

-- CreateIndex
CREATE INDEX "dataset_parent_parent_id_idx" ON "dataset_parent"("parent_id");

-- CreateIndex
CREATE UNIQUE INDEX "feature_view_workspace_id_name_key" ON "feature_view"("workspace_id", "name");

-- CreateIndex
CREATE INDEX "feature_row_view_id_entity_event_time_created_time_idx" ON "feature_row"("view_id", "entity", "event_time" DESC, "created_time" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "feature_row_view_id_entity_event_time_created_time_key" ON "feature_row"("view_id", "entity", "event_time", "created_time");

-- CreateIndex
CREATE INDEX "training_examples_dataset_version_id_idx" ON "training_examples"("dataset_version_id");

-- CreateIndex
CREATE UNIQUE INDEX "training_examples_workspace_id_digest_key" ON "training_examples"("workspace_id", "digest");

-- AddForeignKey
ALTER TABLE "dataset_version" ADD CONSTRAINT "dataset_version_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dataset_row_group" ADD CONSTRAINT "dataset_row_group_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "dataset_version"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dataset_parent" ADD CONSTRAINT "dataset_parent_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "dataset_version"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dataset_parent" ADD CONSTRAINT "dataset_parent_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "dataset_version"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "feature_row" ADD CONSTRAINT "feature_row_view_id_fkey" FOREIGN KEY ("view_id") REFERENCES "feature_view"("id") ON DELETE CASCADE ON UPDATE CASCADE;
