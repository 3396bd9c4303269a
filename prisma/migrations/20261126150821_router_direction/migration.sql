-- AlterTable
ALTER TABLE "adapter_sample" ADD COLUMN     "direction" BYTEA;
