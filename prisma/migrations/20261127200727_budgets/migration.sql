-- AlterTable
ALTER TABLE "run" ADD COLUMN     "asked_by" UUID;

-- CreateTable
CREATE TABLE "budget" (
    "workspace_id" UUID NOT NULL,
    "subject_id" UUID NOT NULL,
    "window" TEXT NOT NULL,
    "requests" BIGINT,
    "tokens" BIGINT,
    "concurrent" INTEGER,
    "training_minutes" DOUBLE PRECISION,
    "changed_by" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "budget_pkey" PRIMARY KEY ("workspace_id","subject_id","window")
);

-- CreateTable
CREATE TABLE "spending" (
    "workspace_id" UUID NOT NULL,
    "subject_id" UUID NOT NULL,
    "window" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "requests" BIGINT NOT NULL DEFAULT 0,
    "tokens" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "spending_pkey" PRIMARY KEY ("workspace_id","subject_id","window","started_at")
);

-- CreateTable
CREATE TABLE "reservation" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "line_id" UUID,
    "tokens" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "reservation_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "reservation_workspace_id_idx" ON "reservation"("workspace_id");

-- CreateIndex
CREATE INDEX "run_asked_by_started_at_idx" ON "run"("asked_by", "started_at");
