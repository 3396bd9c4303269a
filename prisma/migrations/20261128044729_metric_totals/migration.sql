-- A series' buckets lie together: a chart reads those of few series over a long time.
ALTER TABLE "metric_bucket" DROP CONSTRAINT "metric_bucket_pkey";
ALTER TABLE "metric_bucket" ADD CONSTRAINT "metric_bucket_pkey" PRIMARY KEY ("workspace_id", "resolution", "metric", "series_id", "start", "bin", "detail");

-- One series a workspace counts all answers, whatever they were made with.
INSERT INTO "metric_series" ("workspace_id", "model", "adapter", "strategy", "collection", "subject", "arm")
SELECT DISTINCT "workspace_id", '*', '*', '*', '*', '*', '*' FROM "metric_series";

INSERT INTO "metric_bucket" ("workspace_id", "resolution", "metric", "start", "series_id", "bin", "detail", "count", "sum")
SELECT b."workspace_id", b."resolution", b."metric", b."start", t."id", b."bin", b."detail", sum(b."count"), sum(b."sum")
  FROM "metric_bucket" b JOIN "metric_series" t ON t."workspace_id" = b."workspace_id" AND t."model" = '*'
 GROUP BY b."workspace_id", b."resolution", b."metric", b."start", t."id", b."bin", b."detail";
