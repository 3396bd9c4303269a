-- CreateTable
CREATE TABLE "workspace" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workspace_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stored_file" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stored_file_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "subject_id" UUID,
    "input" JSONB NOT NULL,
    "output" JSONB,
    "progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "message" TEXT NOT NULL DEFAULT '',
    "error_code" TEXT,
    "error_message" TEXT,
    "idempotency_key" TEXT NOT NULL,
    "input_digest" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(6),
    "fencing_token" BIGINT NOT NULL DEFAULT 0,
    "cancel_requested" BOOLEAN NOT NULL DEFAULT false,
    "not_before" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "stream" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "event_pkey" PRIMARY KEY ("stream","sequence")
);

-- CreateTable
CREATE TABLE "base_model" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "architecture" TEXT NOT NULL,
    "parameters" BIGINT NOT NULL,
    "licence" TEXT,
    "source" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "base_model_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_variant" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "model_id" UUID NOT NULL,
    "quantization" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "context_length" INTEGER NOT NULL,
    "vocabulary" INTEGER NOT NULL,
    "chat_template" TEXT,
    "bos_token" TEXT NOT NULL DEFAULT '',
    "eos_token" TEXT NOT NULL DEFAULT '',
    "location" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_variant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "collection" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "language" TEXT NOT NULL DEFAULT 'english',
    "dense_weight" DOUBLE PRECISION NOT NULL DEFAULT 0.6,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "collection_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "search_index" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "collection_id" UUID NOT NULL,
    "embedder" JSONB NOT NULL,
    "embedder_digest" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "search_index_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "document" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "collection_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "title" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "pages" INTEGER,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "live_name" TEXT,
    "chunk_count" INTEGER NOT NULL DEFAULT 0,
    "term_count" INTEGER NOT NULL DEFAULT 0,
    "run_id" UUID,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "document_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chunk" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "collection_id" UUID NOT NULL,
    "document_id" UUID NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    "text" TEXT NOT NULL,
    "headings" TEXT[],
    "page" INTEGER,
    "term_count" INTEGER NOT NULL,

    CONSTRAINT "chunk_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chunk_term" (
    "collection_id" UUID NOT NULL,
    "term" TEXT NOT NULL,
    "chunk_id" UUID NOT NULL,
    "frequency" INTEGER NOT NULL,

    CONSTRAINT "chunk_term_pkey" PRIMARY KEY ("collection_id","term","chunk_id")
);

-- CreateTable
CREATE TABLE "answer" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "request_id" TEXT NOT NULL,
    "input_digest" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "question" TEXT NOT NULL,
    "text" TEXT NOT NULL DEFAULT '',
    "abstained" BOOLEAN NOT NULL DEFAULT false,
    "strategy" TEXT,
    "variant_id" UUID,
    "configuration_digest" TEXT,
    "conversation_id" TEXT,
    "body" JSONB NOT NULL DEFAULT '{}',
    "error_code" TEXT,
    "error_message" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "answer_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "workspace_name_key" ON "workspace"("name");

-- CreateIndex
CREATE INDEX "stored_file_workspace_id_id_idx" ON "stored_file"("workspace_id", "id");

-- CreateIndex
CREATE INDEX "run_status_lease_until_idx" ON "run"("status", "lease_until");

-- CreateIndex
CREATE INDEX "run_workspace_id_id_idx" ON "run"("workspace_id", "id");

-- CreateIndex
CREATE INDEX "run_subject_id_idx" ON "run"("subject_id");

-- CreateIndex
CREATE UNIQUE INDEX "run_workspace_id_kind_idempotency_key_key" ON "run"("workspace_id", "kind", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "base_model_workspace_id_name_key" ON "base_model"("workspace_id", "name");

-- CreateIndex
CREATE INDEX "model_variant_model_id_idx" ON "model_variant"("model_id");

-- CreateIndex
CREATE UNIQUE INDEX "model_variant_workspace_id_sha256_key" ON "model_variant"("workspace_id", "sha256");

-- CreateIndex
CREATE UNIQUE INDEX "collection_workspace_id_name_key" ON "collection"("workspace_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "search_index_collection_id_embedder_digest_key" ON "search_index"("collection_id", "embedder_digest");

-- CreateIndex
CREATE INDEX "document_collection_id_id_idx" ON "document"("collection_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "document_collection_id_live_name_key" ON "document"("collection_id", "live_name");

-- CreateIndex
CREATE INDEX "chunk_collection_id_idx" ON "chunk"("collection_id");

-- CreateIndex
CREATE UNIQUE INDEX "chunk_document_id_ordinal_key" ON "chunk"("document_id", "ordinal");

-- CreateIndex
CREATE INDEX "chunk_term_chunk_id_idx" ON "chunk_term"("chunk_id");

-- CreateIndex
CREATE INDEX "answer_workspace_id_id_idx" ON "answer"("workspace_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "answer_workspace_id_request_id_key" ON "answer"("workspace_id", "request_id");

-- AddForeignKey
ALTER TABLE "model_variant" ADD CONSTRAINT "model_variant_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "base_model"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "search_index" ADD CONSTRAINT "search_index_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collection"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "document" ADD CONSTRAINT "document_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collection"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunk" ADD CONSTRAINT "chunk_document_id_fkey" FOREIGN KEY ("document_id") REFERENCES "document"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunk_term" ADD CONSTRAINT "chunk_term_chunk_id_fkey" FOREIGN KEY ("chunk_id") REFERENCES "chunk"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Graft: beyond schema.prisma. The workspace of a single-tenant installation
INSERT INTO "workspace" ("id", "name") VALUES ('00000000-0000-7000-8000-000000000001', 'default');
