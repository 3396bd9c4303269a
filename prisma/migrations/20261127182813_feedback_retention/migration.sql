-- CreateTable
CREATE TABLE "feedback_retention" (
    "workspace_id" UUID NOT NULL,
    "days" INTEGER NOT NULL,

    CONSTRAINT "feedback_retention_pkey" PRIMARY KEY ("workspace_id")
);
