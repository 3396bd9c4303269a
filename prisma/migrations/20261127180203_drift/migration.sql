-- CreateTable
CREATE TABLE "drift_stream" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "adapter_version_id" UUID,
    "embedder_digest" TEXT,
    "vectors" BYTEA,
    "dimensions" INTEGER,
    "state" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "drift_stream_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "drift_question" (
    "id" BIGSERIAL NOT NULL,
    "workspace_id" UUID NOT NULL,
    "answer_id" UUID NOT NULL,
    "adapter_version_id" UUID,
    "adapter" TEXT NOT NULL,

    CONSTRAINT "drift_question_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "drift_stream_workspace_id_kind_name_key" ON "drift_stream"("workspace_id", "kind", "name");

-- What was made of a person's rows goes with them.
CREATE RULE forget_drift_of_questions AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM drift_stream USING adapter_version
  WHERE drift_stream.kind = 'QUESTIONS' AND adapter_version.id = drift_stream.adapter_version_id AND adapter_version.dataset_version_id = NEW.id;
