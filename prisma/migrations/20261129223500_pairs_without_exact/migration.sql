-- A judgement of one answer is not read as one of another any more, however exactly the two compare.
ALTER TABLE "shadow_pair" DROP COLUMN "exact";
