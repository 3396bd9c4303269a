-- What cut a document: null for those from before that was written down
ALTER TABLE "document" ADD COLUMN "cut_by" TEXT;
