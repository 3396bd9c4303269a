-- CreateTable
CREATE TABLE "feedback" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "answer_id" UUID,
    "conversation_id" TEXT,
    "kind" TEXT NOT NULL,
    "source_kind" TEXT NOT NULL,
    "source_name" TEXT NOT NULL,
    "key" TEXT,
    "digest" TEXT NOT NULL,
    "score" REAL,
    "comment" TEXT,
    "expectation" JSONB,
    "agrees" BOOLEAN,
    "verdict" TEXT,
    "late" BOOLEAN NOT NULL DEFAULT false,
    "overrides_id" UUID,
    "superseded_at" TIMESTAMPTZ(6),
    "erased_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "feedback_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "feedback_workspace_id_id_idx" ON "feedback"("workspace_id", "id");

-- CreateIndex
CREATE INDEX "feedback_answer_id_id_idx" ON "feedback"("answer_id", "id");

-- CreateIndex
CREATE INDEX "feedback_workspace_id_conversation_id_idx" ON "feedback"("workspace_id", "conversation_id");

-- CreateIndex
CREATE UNIQUE INDEX "feedback_workspace_id_source_kind_source_name_key_key" ON "feedback"("workspace_id", "source_kind", "source_name", "key");

-- One source says one thing of a kind at a time: what it said before is history.
CREATE UNIQUE INDEX "feedback_standing_on_answer_key" ON "feedback"("answer_id", "kind", "source_kind", "source_name")
  WHERE "superseded_at" IS NULL AND "answer_id" IS NOT NULL;
CREATE UNIQUE INDEX "feedback_standing_on_conversation_key" ON "feedback"("workspace_id", "conversation_id", "kind", "source_kind", "source_name")
  WHERE "superseded_at" IS NULL AND "answer_id" IS NULL;

-- CreateIndex
CREATE INDEX "answer_workspace_id_conversation_id_idx" ON "answer"("workspace_id", "conversation_id");

-- AddForeignKey
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_answer_id_fkey" FOREIGN KEY ("answer_id") REFERENCES "answer"("id") ON DELETE CASCADE ON UPDATE CASCADE;
