-- AlterTable
ALTER TABLE "run" ADD COLUMN     "checkpoint" JSONB,
ADD COLUMN     "failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "pause_requested" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "peak" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "queued_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "stalled" INTEGER NOT NULL DEFAULT 0,
ALTER COLUMN "idempotency_key" DROP NOT NULL;

-- Runs keep their places in the queue.
UPDATE "run" SET "peak" = "progress", "queued_at" = "created_at";

-- Ingestions wrote what they go on from into their output.
UPDATE "run" SET "checkpoint" = "output", "output" = NULL
WHERE "kind" = 'INGESTION' AND "status" IN ('QUEUED', 'RUNNING');

-- Documents that an ingestion could not read were not counted.
UPDATE "run" SET "failures" = (
  SELECT count(*) FROM jsonb_array_elements("output" -> 'documents') AS "document" WHERE "document" ->> 'outcome' = 'FAILED'
)
WHERE "kind" = 'INGESTION' AND "status" = 'SUCCEEDED' AND jsonb_typeof("output" -> 'documents') = 'array';
