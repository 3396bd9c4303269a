-- Adapters are known by meaning instead of style: what was learned before says nothing here, and is learned anew by itself.
DELETE FROM "adapter_sample";
DELETE FROM "router_version";
ALTER TABLE "adapter_sample" DROP COLUMN "direction",
ADD COLUMN "classes" INTEGER NOT NULL,
ADD COLUMN "ordinals" INTEGER[],
ADD COLUMN "labels" TEXT[],
ADD COLUMN "weights" BYTEA NOT NULL;

-- What a router learned from feedback is no longer added to it.
DROP TABLE "router_proposal";
ALTER TABLE "router_version" DROP COLUMN "exploration";

ALTER TABLE "workspace" ADD COLUMN "base_answers" BOOLEAN NOT NULL DEFAULT false;
