-- Whose conversation an answer belongs to: follow-ups look back only on what the same caller asked.
ALTER TABLE "answer" ADD COLUMN "asked_by" UUID;
