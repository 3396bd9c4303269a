-- Labels of rows that are there change their meaning only where a person confirms it.
ALTER TABLE "review_item" ADD COLUMN "dataset_id" UUID, ADD COLUMN "moves" JSONB;
ALTER TABLE "review_item" ADD CONSTRAINT "review_item_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
CREATE INDEX "review_item_dataset_id_idx" ON "review_item" ("dataset_id");
ALTER TABLE "review" ADD COLUMN "confirmed" BOOLEAN;
