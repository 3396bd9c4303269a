-- AlterTable
ALTER TABLE "label_index" ALTER COLUMN "fit" DROP NOT NULL;

-- DropIndex
DROP INDEX "label_index_dataset_version_id_embedder_digest_key";

-- DropIndex
DROP INDEX "label_index_workspace_id_id_idx";

-- CreateIndex
CREATE INDEX "label_index_dataset_version_id_idx" ON "label_index"("dataset_version_id");

-- What was made of a person's rows goes with them: the vectors of inputs that the router holds questions against.
CREATE RULE forget_adapter_samples AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM adapter_sample USING adapter_version
  WHERE adapter_version.id = adapter_sample.adapter_version_id AND adapter_version.dataset_version_id = NEW.id;
