-- AlterTable
ALTER TABLE "dataset_version" ADD COLUMN     "withdrawn_by" UUID;

-- CreateTable
CREATE TABLE "dataset_export" (
    "file_id" UUID NOT NULL,
    "version_id" UUID NOT NULL,

    CONSTRAINT "dataset_export_pkey" PRIMARY KEY ("file_id")
);

-- CreateIndex
CREATE INDEX "dataset_export_version_id_idx" ON "dataset_export"("version_id");

-- AddForeignKey
ALTER TABLE "dataset_export" ADD CONSTRAINT "dataset_export_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "dataset_version"("id") ON DELETE CASCADE ON UPDATE CASCADE;
