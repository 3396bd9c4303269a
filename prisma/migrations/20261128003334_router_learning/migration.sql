ALTER TABLE "router_version" ADD COLUMN "exploration" DOUBLE PRECISION NOT NULL DEFAULT 0;

CREATE TABLE "router_proposal" (
  "id" UUID NOT NULL,
  "workspace_id" UUID NOT NULL,
  "router_version" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "evidence" JSONB NOT NULL,
  "decided_by" TEXT,
  "reason" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "decided_at" TIMESTAMPTZ(6),

  CONSTRAINT "router_proposal_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "router_proposal_workspace_id_id_idx" ON "router_proposal" ("workspace_id", "id");

CREATE UNIQUE INDEX "router_proposal_open" ON "router_proposal" ("workspace_id") WHERE "status" = 'OPEN';
