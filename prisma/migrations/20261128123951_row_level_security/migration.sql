-- A second wall behind the queries: PostgreSQL shows no rows of another workspace than the one that the session says it works for.
-- graft.workspace is the id of a workspace, or system (all of them). Where it says nothing, there is nothing to see.
-- What it says stands in subqueries, which are evaluated once a statement, not once a row. In functions they would take twice as long to plan.
-- (Semicolons are escaped: Prisma's adapter splits scripts at each.)
DO E'DECLARE
  walled text\x3b
BEGIN
  FOR walled IN
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = \'workspace_id\' AND NOT a.attisdropped
    WHERE c.relkind = \'r\' AND c.relnamespace = \'public\'::regnamespace
  LOOP
    EXECUTE format(\'ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY\', walled)\x3b
    EXECUTE format(\'CREATE POLICY of_workspace ON %I USING ((SELECT current_setting(\'\'graft.workspace\'\', true) = \'\'system\'\')
      OR workspace_id = (SELECT nullif(nullif(current_setting(\'\'graft.workspace\'\', true), \'\'system\'\'), \'\'\'\')::uuid))\', walled)\x3b
  END LOOP\x3b
END';

ALTER TABLE "workspace" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "workspace" USING ((SELECT current_setting('graft.workspace', true) = 'system') OR id = (SELECT nullif(nullif(current_setting('graft.workspace', true), 'system'), '')::uuid));

-- Tables that hang on one: a row is seen by whoever sees what it belongs to.
ALTER TABLE "adapter_alias" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "adapter_alias"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM adapter WHERE adapter.id = adapter_id));

ALTER TABLE "answer_verdict" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "answer_verdict"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM answer WHERE answer.id = answer_id));

ALTER TABLE "chunk_term" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "chunk_term"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR collection_id IN (SELECT id FROM collection));

ALTER TABLE "dataset_row_group" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "dataset_row_group"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM dataset_version WHERE dataset_version.id = version_id));

ALTER TABLE "dataset_export" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "dataset_export"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM dataset_version WHERE dataset_version.id = version_id));

ALTER TABLE "dataset_parent" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "dataset_parent"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM dataset_version WHERE dataset_version.id = version_id));

ALTER TABLE "feature_row" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "feature_row"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM feature_view WHERE feature_view.id = view_id));

ALTER TABLE "label_blend" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "label_blend"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM label_index WHERE label_index.id = label_index_id));

ALTER TABLE "evaluation_row" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "evaluation_row"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM evaluation WHERE evaluation.id = evaluation_id));

ALTER TABLE "experiment_point" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "experiment_point"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM experiment WHERE experiment.id = experiment_id));

ALTER TABLE "experiment_unit" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "experiment_unit"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM experiment WHERE experiment.id = experiment_id));

ALTER TABLE "experiment_feedback" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON "experiment_feedback"
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM experiment WHERE experiment.id = experiment_id));

-- No policy holds for a superuser. Where one migrates, as of the database that Graft keeps itself, there is a role that has no rights but these, and
-- the gateway's sessions lay theirs down for it. Roles belong to the server: another database of it may have made this one, even just now.
DO E'BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    BEGIN
      CREATE ROLE graft_rows NOLOGIN\x3b
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL\x3b
    END\x3b
    GRANT USAGE ON SCHEMA public TO graft_rows\x3b
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO graft_rows\x3b
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO graft_rows\x3b
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO graft_rows\x3b
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO graft_rows\x3b
  END IF\x3b
END';
