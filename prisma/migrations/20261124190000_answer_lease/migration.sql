-- AlterTable
ALTER TABLE "answer" ADD COLUMN     "lease_owner" UUID,
ADD COLUMN     "lease_until" TIMESTAMPTZ(6);
