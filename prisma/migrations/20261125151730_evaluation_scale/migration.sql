-- AlterTable
ALTER TABLE "evaluation" ADD COLUMN     "scale" DOUBLE PRECISION;
