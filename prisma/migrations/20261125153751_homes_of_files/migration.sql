-- AlterTable
ALTER TABLE "run" ADD COLUMN     "unreadable_by" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "stored_file" ADD COLUMN     "home" TEXT;

-- CreateIndex
CREATE INDEX "stored_file_sha256_idx" ON "stored_file"("sha256");
