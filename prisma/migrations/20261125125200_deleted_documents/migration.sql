-- AlterTable
ALTER TABLE "document" ADD COLUMN     "deleted_at" TIMESTAMPTZ(6);
