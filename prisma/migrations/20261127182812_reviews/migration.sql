-- CreateTable
CREATE TABLE "review_item" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "answer_id" UUID NOT NULL,
    "other_id" UUID,
    "wanted" INTEGER NOT NULL,
    "done" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "review_item_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "review" (
    "item_id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "reviewer" TEXT NOT NULL,
    "locked_until" TIMESTAMPTZ(6),
    "done_at" TIMESTAMPTZ(6),
    "preferred_id" UUID,
    "tie" BOOLEAN NOT NULL DEFAULT false,
    "feedback_ids" UUID[],

    CONSTRAINT "review_pkey" PRIMARY KEY ("item_id","reviewer")
);

-- CreateIndex
CREATE INDEX "review_item_answer_id_idx" ON "review_item"("answer_id");

-- CreateIndex
CREATE INDEX "review_item_other_id_idx" ON "review_item"("other_id");

-- CreateIndex
CREATE UNIQUE INDEX "review_item_workspace_id_subject_key" ON "review_item"("workspace_id", "subject");

-- What is still to be done, which is little beside what was.
CREATE INDEX "review_item_open_idx" ON "review_item"("workspace_id", "id") WHERE "done" < "wanted";

-- CreateIndex
CREATE INDEX "review_workspace_id_reviewer_idx" ON "review"("workspace_id", "reviewer");

-- AddForeignKey
ALTER TABLE "review_item" ADD CONSTRAINT "review_item_answer_id_fkey" FOREIGN KEY ("answer_id") REFERENCES "answer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "review_item" ADD CONSTRAINT "review_item_other_id_fkey" FOREIGN KEY ("other_id") REFERENCES "answer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "review" ADD CONSTRAINT "review_item_id_fkey" FOREIGN KEY ("item_id") REFERENCES "review_item"("id") ON DELETE CASCADE ON UPDATE CASCADE;
