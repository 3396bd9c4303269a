-- AlterTable
ALTER TABLE "adapter_version" ADD COLUMN     "inherited_from" UUID[] DEFAULT ARRAY[]::UUID[];
