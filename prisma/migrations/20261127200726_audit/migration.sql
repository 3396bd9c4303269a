-- CreateTable
CREATE TABLE "audit_entry" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "who" TEXT NOT NULL,
    "key_id" UUID,
    "role" TEXT NOT NULL,
    "what" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "subject" TEXT,
    "input" JSONB NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "outcome" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_entry_workspace_id_id_idx" ON "audit_entry"("workspace_id", "id");
