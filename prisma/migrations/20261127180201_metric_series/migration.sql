-- CreateTable
CREATE TABLE "metric_outbox" (
    "id" BIGSERIAL NOT NULL,
    "workspace_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "error_code" TEXT,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "metric_outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "metric_series" (
    "id" SERIAL NOT NULL,
    "workspace_id" UUID NOT NULL,
    "model" TEXT NOT NULL DEFAULT '',
    "adapter" TEXT NOT NULL DEFAULT '',
    "strategy" TEXT NOT NULL DEFAULT '',
    "collection" TEXT NOT NULL DEFAULT '',
    "subject" TEXT NOT NULL DEFAULT '',
    "arm" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "metric_series_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "metric_bucket" (
    "workspace_id" UUID NOT NULL,
    "resolution" TEXT NOT NULL,
    "metric" TEXT NOT NULL,
    "start" TIMESTAMPTZ(3) NOT NULL,
    "series_id" INTEGER NOT NULL,
    "bin" INTEGER NOT NULL DEFAULT 0,
    "detail" TEXT NOT NULL DEFAULT '',
    "count" BIGINT NOT NULL,
    "sum" DOUBLE PRECISION NOT NULL DEFAULT 0,

    CONSTRAINT "metric_bucket_pkey" PRIMARY KEY ("workspace_id","resolution","metric","start","series_id","bin","detail")
) WITH (fillfactor = 80);

-- CreateTable
CREATE TABLE "metric_retention" (
    "resolution" TEXT NOT NULL,
    "kept_from" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "metric_retention_pkey" PRIMARY KEY ("resolution")
);

-- CreateIndex
CREATE UNIQUE INDEX "metric_series_workspace_id_model_adapter_strategy_collectio_key" ON "metric_series"("workspace_id", "model", "adapter", "strategy", "collection", "subject", "arm");

-- CreateIndex
CREATE INDEX "metric_bucket_resolution_start_idx" ON "metric_bucket"("resolution", "start");

-- AddForeignKey
ALTER TABLE "metric_bucket" ADD CONSTRAINT "metric_bucket_series_id_fkey" FOREIGN KEY ("series_id") REFERENCES "metric_series"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- An answer that is settled leaves a line in the same transaction: whoever rolls up can't miss one that commits late, and an answer that is
-- tried again leaves one for each outcome. (The semicolons of the function are escaped: Prisma's adapter splits scripts at each.)
CREATE FUNCTION note_settled_answer() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO metric_outbox (workspace_id, kind, subject_id, status, error_code, at)
  VALUES (NEW.workspace_id, \'ANSWER\', NEW.id, NEW.status, NEW.error_code, coalesce(NEW.finished_at, now()))\x3b
  RETURN NULL\x3b
END';

CREATE TRIGGER answer_added AFTER INSERT ON "answer"
  FOR EACH ROW WHEN (NEW.status <> 'RUNNING') EXECUTE FUNCTION note_settled_answer();
CREATE TRIGGER answer_settled AFTER UPDATE OF "status" ON "answer"
  FOR EACH ROW WHEN (OLD.status = 'RUNNING' AND NEW.status <> 'RUNNING') EXECUTE FUNCTION note_settled_answer();

-- What was answered before is rolled up, too.
INSERT INTO "metric_outbox" ("workspace_id", "kind", "subject_id", "status", "error_code", "at")
  SELECT "workspace_id", 'ANSWER', "id", "status", "error_code", "finished_at"
    FROM "answer" WHERE "status" <> 'RUNNING' AND "finished_at" IS NOT NULL ORDER BY "id";
