CREATE TABLE "shadow" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "adapter_id" UUID NOT NULL,
  "adapter" TEXT NOT NULL,
  "candidate_id" UUID NOT NULL,
  "candidate_version" INTEGER NOT NULL,
  "against_id" UUID NOT NULL,
  "against_version" INTEGER NOT NULL,
  "run_id" UUID NOT NULL,
  "status" TEXT NOT NULL,
  "share" DOUBLE PRECISION NOT NULL,
  "most_per_hour" INTEGER NOT NULL,
  "least_answers" INTEGER NOT NULL,
  "answered" INTEGER NOT NULL DEFAULT 0,
  "skipped" JSONB NOT NULL,
  "error_code" TEXT,
  "idempotency_key" TEXT NOT NULL,
  "input_digest" TEXT NOT NULL,
  "started_by" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "ended_by" TEXT,
  "end_reason" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),

  CONSTRAINT "shadow_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "shadow_workspace_id_idempotency_key_key" ON "shadow" ("workspace_id", "idempotency_key");
CREATE INDEX "shadow_workspace_id_adapter_idx" ON "shadow" ("workspace_id", "adapter");
CREATE INDEX "shadow_candidate_id_idx" ON "shadow" ("candidate_id");
-- Two shadows of one adapter would cost twice.
CREATE UNIQUE INDEX "shadow_live_idx" ON "shadow" ("adapter_id") WHERE "finished_at" IS NULL;
-- Whose answers are sampled.
CREATE INDEX "shadow_sampling_idx" ON "shadow" ("against_id") WHERE "finished_at" IS NULL;

CREATE TABLE "shadow_pair" (
  "shadow_id" UUID NOT NULL,
  "answer_id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "status" TEXT NOT NULL,
  "why" TEXT,
  "same" BOOLEAN,
  "exact" BOOLEAN,
  "similarity" REAL,
  "verdict" TEXT,
  "served_label" TEXT,
  "candidate_label" TEXT,
  "served_abstained" BOOLEAN,
  "candidate_abstained" BOOLEAN,
  "served_confidence" REAL,
  "candidate_confidence" REAL,
  "served_ms" REAL,
  "candidate_ms" REAL,
  "served_compute_ms" REAL,
  "candidate_compute_ms" REAL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "asked_at" TIMESTAMPTZ(6),

  CONSTRAINT "shadow_pair_pkey" PRIMARY KEY ("shadow_id", "answer_id"),
  CONSTRAINT "shadow_pair_shadow_id_fkey" FOREIGN KEY ("shadow_id") REFERENCES "shadow" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT "shadow_pair_answer_id_fkey" FOREIGN KEY ("answer_id") REFERENCES "answer" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "shadow_pair_answer_id_idx" ON "shadow_pair" ("answer_id");
CREATE INDEX "shadow_pair_shadow_id_asked_at_idx" ON "shadow_pair" ("shadow_id", "asked_at");
CREATE INDEX "shadow_pair_open_idx" ON "shadow_pair" ("shadow_id", "status", "answer_id") WHERE "status" IN ('WAITING', 'SKIPPED');

-- An answer of the version that is compared is sampled by a hash of its id in the transaction that settles it: once, whatever dies
-- afterwards. No more than twenty wait, so that a queue never grows: the next ones are skipped, and counted.
-- (The semicolons of the function are escaped: Prisma's adapter splits scripts at each.)
CREATE FUNCTION sample_for_shadow() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO shadow_pair (shadow_id, answer_id, workspace_id, status, why)
  SELECT shadow.id, NEW.id, NEW.workspace_id,
         CASE WHEN waiting.n < 20 THEN \'WAITING\' ELSE \'SKIPPED\' END, CASE WHEN waiting.n < 20 THEN NULL ELSE \'BUSY\' END
    FROM shadow
    JOIN run ON run.id = shadow.run_id AND run.finished_at IS NULL
   CROSS JOIN LATERAL (
     SELECT count(*) AS n FROM (
       SELECT 1 FROM shadow_pair WHERE shadow_id = shadow.id AND status = \'WAITING\' LIMIT 20) AS those) AS waiting
   WHERE shadow.against_id = NEW.adapter_version_id AND shadow.finished_at IS NULL
     AND (\'x\' || substr(md5(shadow.id::text || NEW.id::text), 1, 8))::bit(32)::bigint < shadow.share * 4294967296
  ON CONFLICT DO NOTHING\x3b
  RETURN NULL\x3b
END';

CREATE TRIGGER answer_added_for_shadow AFTER INSERT ON "answer"
  FOR EACH ROW WHEN (NEW.status = 'COMPLETE' AND NEW.adapter_version_id IS NOT NULL AND NEW.assignment_forced IS NOT TRUE)
  EXECUTE FUNCTION sample_for_shadow();
CREATE TRIGGER answer_settled_for_shadow AFTER UPDATE OF "status" ON "answer"
  FOR EACH ROW WHEN (OLD.status = 'RUNNING' AND NEW.status = 'COMPLETE' AND NEW.adapter_version_id IS NOT NULL
                     AND NEW.assignment_forced IS NOT TRUE)
  EXECUTE FUNCTION sample_for_shadow();
