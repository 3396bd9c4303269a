-- AlterTable
ALTER TABLE "adapter" ADD COLUMN     "last_version" INTEGER NOT NULL DEFAULT 0;

UPDATE "adapter" SET "last_version" = coalesce((SELECT max("version") FROM "adapter_version" WHERE "adapter_id" = "adapter"."id"), 0);
