-- AlterTable
ALTER TABLE "model_variant" ADD COLUMN     "measurement" JSONB,
ADD COLUMN     "source_id" UUID;

-- CreateIndex
CREATE INDEX "model_variant_source_id_idx" ON "model_variant"("source_id");

-- AddForeignKey
ALTER TABLE "model_variant" ADD CONSTRAINT "model_variant_source_id_fkey" FOREIGN KEY ("source_id") REFERENCES "model_variant"("id") ON DELETE SET NULL ON UPDATE CASCADE;
