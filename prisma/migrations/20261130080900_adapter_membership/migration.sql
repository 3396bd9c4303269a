-- What tells an adapter version's own messages from foreign ones.
CREATE TABLE "adapter_membership" (
    "workspace_id" UUID NOT NULL,
    "adapter_version_id" UUID NOT NULL,
    "embedder_digest" TEXT NOT NULL,
    "learned" JSONB NOT NULL,
    "regression" BYTEA NOT NULL,
    "rows" BYTEA NOT NULL,

    CONSTRAINT "adapter_membership_pkey" PRIMARY KEY ("adapter_version_id")
);

CREATE INDEX "adapter_membership_workspace_id_idx" ON "adapter_membership"("workspace_id");

ALTER TABLE "adapter_membership" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "adapter_membership"
  USING ((SELECT current_setting('graft.workspace', true) = 'system')
    OR workspace_id = (SELECT nullif(nullif(current_setting('graft.workspace', true), 'system'), '')::uuid));

-- What was made of a person's rows goes with them.
CREATE RULE forget_adapter_memberships AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM adapter_membership USING adapter_version
  WHERE adapter_version.id = adapter_membership.adapter_version_id AND adapter_version.dataset_version_id = NEW.id;
