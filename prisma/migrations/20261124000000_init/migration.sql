-- All that the database holds. schema.prisma describes the same tables, and what it can't say is here alone: rules, triggers, policies,
-- indexes of some rows, the role of the gateway. No semicolon stands in a comment or a function (there it is escaped): Prisma's adapter
-- splits scripts at each.

CREATE TABLE workspace (
  id UUID PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  base_answers BOOLEAN NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX workspace_name_key ON workspace (name);
-- The workspace of a single-tenant installation.
INSERT INTO workspace (id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'default');

-- Lets its owner in: see src/operate/access. What was shown once is not here, only its digest.
CREATE TABLE api_key (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  line_id UUID NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  digest TEXT NOT NULL,
  role TEXT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at TIMESTAMPTZ(6),
  revoked_at TIMESTAMPTZ(6),
  last_used_at TIMESTAMPTZ(6),
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  groups TEXT[] DEFAULT ARRAY[]::TEXT[]
);
CREATE UNIQUE INDEX api_key_prefix_key ON api_key (prefix);
CREATE INDEX api_key_workspace_id_id_idx ON api_key (workspace_id, id);

CREATE TABLE collection (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT 'english',
  dense_weight DOUBLE PRECISION NOT NULL DEFAULT 0.6,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX collection_workspace_id_name_key ON collection (workspace_id, name);

-- What OpenAI's clients called a collection, and noted with it. A collection without a row goes by its own name.
CREATE TABLE vector_store (
  collection_id UUID PRIMARY KEY REFERENCES collection ON UPDATE CASCADE ON DELETE CASCADE,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  metadata JSONB NOT NULL DEFAULT '{}'
);

-- A place whose documents a collection has: see src/sources/sync.
CREATE TABLE source (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  collection_id UUID NOT NULL REFERENCES collection ON UPDATE CASCADE ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  labelled BOOLEAN NOT NULL DEFAULT false,
  folder TEXT,
  every_minutes INTEGER,
  next_sync_at TIMESTAMPTZ(6),
  sync_id UUID,
  opened_at TIMESTAMPTZ(6),
  is_open BOOLEAN NOT NULL DEFAULT false,
  manifest JSONB,
  synced_at TIMESTAMPTZ(6),
  gone INTEGER NOT NULL DEFAULT 0,
  run_id UUID,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX source_workspace_id_name_key ON source (workspace_id, name);
CREATE INDEX source_collection_id_idx ON source (collection_id);

-- What a source lists, by path, which is the document's name. One that was only asked for has neither digest nor failure.
CREATE TABLE source_item (
  collection_id UUID NOT NULL,
  path TEXT NOT NULL,
  source_id UUID NOT NULL REFERENCES source ON UPDATE CASCADE ON DELETE CASCADE,
  workspace_id UUID NOT NULL,
  claimed_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  sha256 TEXT,
  etag TEXT,
  modified_at TIMESTAMPTZ(6),
  failure TEXT,
  lasting BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (collection_id, path)
);
CREATE INDEX source_item_source_id_idx ON source_item (source_id);

-- Who may see a document of a name, whatever its version. A document without a row is seen by all of its workspace: see src/sources/knowledge/access.
CREATE TABLE document_label (
  workspace_id UUID NOT NULL,
  collection_id UUID NOT NULL REFERENCES collection ON UPDATE CASCADE ON DELETE CASCADE,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  access TEXT[],
  changed_by TEXT NOT NULL,
  changed_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (collection_id, name)
);
CREATE INDEX document_label_workspace_id_source_idx ON document_label (workspace_id, source);

-- Who changed what: see src/operate/access/audit. Written before the change begins, and completed when it has ended.
CREATE TABLE audit_entry (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  who TEXT NOT NULL,
  key_id UUID,
  role TEXT NOT NULL,
  what TEXT NOT NULL,
  request_id TEXT NOT NULL,
  subject TEXT,
  input JSONB NOT NULL,
  before JSONB,
  after JSONB,
  outcome TEXT,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX audit_entry_workspace_id_id_idx ON audit_entry (workspace_id, id);

-- What may be spent in each window: see src/operate/access/budgets.
CREATE TABLE budget (
  workspace_id UUID NOT NULL,
  subject_id UUID NOT NULL,
  "window" TEXT NOT NULL,
  requests BIGINT,
  tokens BIGINT,
  concurrent INTEGER,
  training_minutes DOUBLE PRECISION,
  changed_by TEXT NOT NULL,
  changed_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (workspace_id, subject_id, "window")
);

-- What was spent in a window. Apart from the budget, so that a changed limit resets nothing.
CREATE TABLE spending (
  workspace_id UUID NOT NULL,
  subject_id UUID NOT NULL,
  "window" TEXT NOT NULL,
  started_at TIMESTAMPTZ(6) NOT NULL,
  requests BIGINT NOT NULL DEFAULT 0,
  tokens BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, subject_id, "window", started_at)
);

-- Paid work under way.
CREATE TABLE reservation (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  line_id UUID,
  tokens BIGINT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL,
  until TIMESTAMPTZ(6) NOT NULL
);
CREATE INDEX reservation_workspace_id_idx ON reservation (workspace_id);

-- A file that a user uploaded or that Graft made. Its bytes lie in the artifact store under their digest.
CREATE TABLE stored_file (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  home TEXT,
  -- Why an OpenAI client uploaded it. NULL for all other files.
  purpose TEXT,
  -- The upload that it is a part of. NULL for whole files.
  upload_id UUID
);
CREATE INDEX stored_file_sha256_idx ON stored_file (sha256);
CREATE INDEX stored_file_workspace_id_id_idx ON stored_file (workspace_id, id);
CREATE INDEX stored_file_upload_id_idx ON stored_file (upload_id);

-- A file that an OpenAI client sends in parts.
CREATE TABLE upload (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  purpose TEXT NOT NULL,
  name TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  status TEXT NOT NULL,
  file_id UUID,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Requests that an OpenAI client sent as one file: what their run, which has the same id, came to.
CREATE TABLE batch (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  total INTEGER NOT NULL,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  output_file_id UUID,
  error_file_id UUID
);

-- One of these requests, until all of them are in files. Rows come before that of the batch.
CREATE TABLE batch_line (
  batch_id UUID NOT NULL,
  number INTEGER NOT NULL,
  workspace_id UUID NOT NULL,
  custom_id TEXT NOT NULL,
  request TEXT NOT NULL,
  result TEXT,
  failed BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (batch_id, number)
);

-- Long work: see src/platform/runs.
CREATE TABLE run (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  subject_id UUID,
  input JSONB NOT NULL,
  output JSONB,
  progress DOUBLE PRECISION NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  error_code TEXT,
  error_message TEXT,
  idempotency_key TEXT,
  input_digest TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until TIMESTAMPTZ(6),
  fencing_token BIGINT NOT NULL DEFAULT 0,
  cancel_requested BOOLEAN NOT NULL DEFAULT false,
  not_before TIMESTAMPTZ(6),
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at TIMESTAMPTZ(6),
  finished_at TIMESTAMPTZ(6),
  checkpoint JSONB,
  failures INTEGER NOT NULL DEFAULT 0,
  pause_requested BOOLEAN NOT NULL DEFAULT false,
  peak DOUBLE PRECISION NOT NULL DEFAULT 0,
  queued_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  stalled INTEGER NOT NULL DEFAULT 0,
  unreadable_by TEXT[] DEFAULT ARRAY[]::TEXT[],
  asked_by UUID,
  begun_within TEXT
);
CREATE INDEX run_asked_by_started_at_idx ON run (asked_by, started_at);
CREATE INDEX run_status_lease_until_idx ON run (status, lease_until);
CREATE INDEX run_subject_id_idx ON run (subject_id);
CREATE INDEX run_workspace_id_id_idx ON run (workspace_id, id);
CREATE UNIQUE INDEX run_workspace_id_kind_idempotency_key_key ON run (workspace_id, kind, idempotency_key);

-- What a subscription replays: a gapless sequence per stream.
CREATE TABLE event (
  stream TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  workspace_id UUID NOT NULL,
  type TEXT NOT NULL,
  payload JSONB NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (stream, sequence)
);

CREATE TABLE base_model (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  architecture TEXT NOT NULL,
  parameters BIGINT NOT NULL,
  licence TEXT,
  source TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  wording JSONB
);
CREATE UNIQUE INDEX base_model_workspace_id_name_key ON base_model (workspace_id, name);

CREATE TABLE model_variant (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  model_id UUID NOT NULL REFERENCES base_model ON UPDATE CASCADE ON DELETE CASCADE,
  quantization TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  context_length INTEGER NOT NULL,
  vocabulary INTEGER NOT NULL,
  chat_template TEXT,
  bos_token TEXT NOT NULL DEFAULT '',
  eos_token TEXT NOT NULL DEFAULT '',
  location TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  measurement JSONB,
  source_id UUID REFERENCES model_variant ON UPDATE CASCADE ON DELETE SET NULL,
  chat JSONB
);
CREATE INDEX model_variant_model_id_idx ON model_variant (model_id);
CREATE INDEX model_variant_source_id_idx ON model_variant (source_id);
CREATE UNIQUE INDEX model_variant_workspace_id_sha256_key ON model_variant (workspace_id, sha256);

-- A named LoRA for one task on one base model. Its weights come in immutable versions: see src/sources/registry/adapters.
CREATE TABLE adapter (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  task TEXT NOT NULL,
  model_id UUID NOT NULL REFERENCES base_model ON UPDATE CASCADE ON DELETE RESTRICT,
  description TEXT NOT NULL DEFAULT '',
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_version INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX adapter_model_id_idx ON adapter (model_id);
CREATE UNIQUE INDEX adapter_workspace_id_name_key ON adapter (workspace_id, name);

CREATE TABLE adapter_version (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL REFERENCES adapter ON UPDATE CASCADE ON DELETE CASCADE,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  weights_file_id UUID NOT NULL,
  config_file_id UUID NOT NULL,
  gguf_file_id UUID NOT NULL,
  gguf_sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  rank INTEGER NOT NULL,
  alpha DOUBLE PRECISION NOT NULL,
  targets TEXT[],
  variant_id UUID NOT NULL REFERENCES model_variant ON UPDATE CASCADE ON DELETE RESTRICT,
  usage JSONB NOT NULL,
  origin TEXT NOT NULL,
  dataset_version_id UUID,
  run_id UUID,
  parent_id UUID,
  recipe JSONB,
  metrics JSONB NOT NULL DEFAULT '{}',
  attestation JSONB,
  scale DOUBLE PRECISION NOT NULL DEFAULT 1,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  inherited_from UUID[] DEFAULT ARRAY[]::UUID[]
);
CREATE UNIQUE INDEX adapter_version_adapter_id_digest_key ON adapter_version (adapter_id, digest);
CREATE UNIQUE INDEX adapter_version_adapter_id_version_key ON adapter_version (adapter_id, version);
CREATE INDEX adapter_version_dataset_version_id_idx ON adapter_version (dataset_version_id);
CREATE INDEX adapter_version_run_id_idx ON adapter_version (run_id);
CREATE INDEX adapter_version_variant_id_idx ON adapter_version (variant_id);
CREATE INDEX adapter_version_workspace_id_id_idx ON adapter_version (workspace_id, id);

-- A movable pointer to a version: `production`, `candidate`.
CREATE TABLE adapter_alias (
  adapter_id UUID NOT NULL REFERENCES adapter ON UPDATE CASCADE ON DELETE CASCADE,
  alias TEXT NOT NULL,
  version_id UUID NOT NULL REFERENCES adapter_version ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY (adapter_id, alias)
);
CREATE INDEX adapter_alias_version_id_idx ON adapter_alias (version_id);

-- Who moved an alias, when, why and on what evidence. Never changed, so that it tells what an alias was at any time.
CREATE TABLE adapter_alias_change (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL REFERENCES adapter ON UPDATE CASCADE ON DELETE CASCADE,
  alias TEXT NOT NULL,
  from_version_id UUID REFERENCES adapter_version ON UPDATE CASCADE ON DELETE SET NULL,
  to_version_id UUID REFERENCES adapter_version ON UPDATE CASCADE ON DELETE SET NULL,
  changed_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  evidence JSONB NOT NULL DEFAULT '{}',
  is_rollback BOOLEAN NOT NULL DEFAULT false,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX adapter_alias_change_adapter_id_alias_id_idx ON adapter_alias_change (adapter_id, alias, id);
CREATE INDEX adapter_alias_change_from_version_id_idx ON adapter_alias_change (from_version_id);
CREATE INDEX adapter_alias_change_to_version_id_idx ON adapter_alias_change (to_version_id);

-- A collection embedded by one embedder. Its vectors lie in the Chroma collection of the same id.
CREATE TABLE search_index (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  collection_id UUID NOT NULL REFERENCES collection ON UPDATE CASCADE ON DELETE CASCADE,
  embedder JSONB NOT NULL,
  embedder_digest TEXT NOT NULL,
  active BOOLEAN NOT NULL DEFAULT true,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX search_index_collection_id_embedder_digest_key ON search_index (collection_id, embedder_digest);

CREATE TABLE document (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  collection_id UUID NOT NULL REFERENCES collection ON UPDATE CASCADE ON DELETE CASCADE,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  pages INTEGER,
  metadata JSONB NOT NULL DEFAULT '{}',
  live_name TEXT,
  chunk_count INTEGER NOT NULL DEFAULT 0,
  term_count INTEGER NOT NULL DEFAULT 0,
  run_id UUID,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  deleted_at TIMESTAMPTZ(6),
  cut_by TEXT
);
CREATE INDEX document_collection_id_id_idx ON document (collection_id, id);
CREATE UNIQUE INDEX document_collection_id_live_name_key ON document (collection_id, live_name);

CREATE TABLE chunk (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  collection_id UUID NOT NULL,
  document_id UUID NOT NULL REFERENCES document ON UPDATE CASCADE ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  text TEXT NOT NULL,
  headings TEXT[],
  page INTEGER,
  term_count INTEGER NOT NULL
);
CREATE INDEX chunk_collection_id_idx ON chunk (collection_id);
CREATE UNIQUE INDEX chunk_document_id_ordinal_key ON chunk (document_id, ordinal);

-- Postings of the lexical index: how often a term stands in a chunk.
CREATE TABLE chunk_term (
  collection_id UUID NOT NULL,
  term TEXT NOT NULL,
  chunk_id UUID NOT NULL REFERENCES chunk ON UPDATE CASCADE ON DELETE CASCADE,
  frequency INTEGER NOT NULL,
  PRIMARY KEY (collection_id, term, chunk_id)
);
CREATE INDEX chunk_term_chunk_id_idx ON chunk_term (chunk_id);

CREATE TABLE answer (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  request_id TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  status TEXT NOT NULL,
  question TEXT NOT NULL,
  text TEXT NOT NULL DEFAULT '',
  abstained BOOLEAN NOT NULL DEFAULT false,
  strategy TEXT,
  variant_id UUID,
  configuration_digest TEXT,
  conversation_id TEXT,
  body JSONB NOT NULL DEFAULT '{}',
  error_code TEXT,
  error_message TEXT,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at TIMESTAMPTZ(6),
  lease_owner UUID,
  lease_until TIMESTAMPTZ(6),
  adapter_version_id UUID,
  confidence REAL,
  disputed BOOLEAN NOT NULL DEFAULT false,
  feedback_count INTEGER NOT NULL DEFAULT 0,
  feedback_wrong INTEGER NOT NULL DEFAULT 0,
  task TEXT,
  latency_ms REAL,
  assignment_kind TEXT,
  assignment_subject UUID,
  assignment_arm TEXT,
  assignment_stage INTEGER,
  assignment_bucket DOUBLE PRECISION,
  assignment_probability DOUBLE PRECISION,
  assignment_forced BOOLEAN,
  unit_hash TEXT,
  assignment_sequence BIGINT,
  feedback_sequence BIGINT,
  read_from TEXT[] DEFAULT ARRAY[]::TEXT[],
  asked_by UUID
);
CREATE INDEX answer_adapter_version_id_id_idx ON answer (adapter_version_id, id);
CREATE INDEX answer_assignment_feedback_idx ON answer (assignment_subject, feedback_sequence) WHERE (feedback_sequence IS NOT NULL);
CREATE INDEX answer_workspace_id_confidence_idx ON answer (workspace_id, confidence);
CREATE INDEX answer_workspace_id_conversation_id_idx ON answer (workspace_id, conversation_id);
CREATE INDEX answer_workspace_id_created_at_idx ON answer (workspace_id, created_at);
CREATE INDEX answer_workspace_id_id_idx ON answer (workspace_id, id);
CREATE UNIQUE INDEX answer_workspace_id_request_id_key ON answer (workspace_id, request_id);
-- What an experiment or a rollout counts, in the order of its numbers. Most answers are in none.
CREATE INDEX answer_assignment_idx ON answer (assignment_subject, assignment_sequence) WHERE (assignment_subject IS NOT NULL);
-- The answers of an experiment or a rollout, newest first.
CREATE INDEX answer_assignment_newest_idx ON answer (assignment_subject, id) WHERE (assignment_subject IS NOT NULL);
-- Whether a unit was answered before, and by another arm.
CREATE INDEX answer_assignment_unit_idx ON answer (assignment_subject, unit_hash, assignment_stage, assignment_sequence) WHERE (unit_hash IS NOT NULL);
-- Few answers get feedback: an index of those alone costs the others nothing.
CREATE INDEX answer_with_feedback_idx ON answer (workspace_id, id) WHERE (feedback_count > 0);
-- Numbers are taken when an answer is settled, whatever any clock says. What is said of it later has a number of its own, from the same sequence.
CREATE SEQUENCE answer_assignment_sequence;

-- What people, models and programs say of answers and conversations: see src/learn/feedback.
CREATE TABLE feedback (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  answer_id UUID REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  conversation_id TEXT,
  kind TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_name TEXT NOT NULL,
  key TEXT,
  digest TEXT NOT NULL,
  score REAL,
  comment TEXT,
  expectation JSONB,
  agrees BOOLEAN,
  verdict TEXT,
  late BOOLEAN NOT NULL DEFAULT false,
  overrides_id UUID,
  superseded_at TIMESTAMPTZ(6),
  erased_at TIMESTAMPTZ(6),
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  given_by TEXT NOT NULL DEFAULT '',
  given_by_name TEXT
);
CREATE INDEX feedback_answer_id_id_idx ON feedback (answer_id, id);
CREATE UNIQUE INDEX feedback_standing_on_conversation_key ON feedback (workspace_id, conversation_id, kind, given_by, source_kind, source_name) WHERE ((superseded_at IS NULL) AND (answer_id IS NULL));
CREATE INDEX feedback_workspace_id_conversation_id_idx ON feedback (workspace_id, conversation_id);
CREATE UNIQUE INDEX feedback_workspace_id_given_by_source_kind_source_name_key_key ON feedback (workspace_id, given_by, source_kind, source_name, key);
CREATE INDEX feedback_workspace_id_id_idx ON feedback (workspace_id, id);
-- One source says one thing of a kind at a time: what it said before is history.
CREATE UNIQUE INDEX feedback_standing_on_answer_key ON feedback (answer_id, kind, given_by, source_kind, source_name) WHERE ((superseded_at IS NULL) AND (answer_id IS NOT NULL));

-- An outcome of an answer that counts for a test and was replaced when it was asked again. Written by a trigger on `answer`.
CREATE TABLE answer_attempt (
  sequence BIGINT PRIMARY KEY,
  answer_id UUID NOT NULL REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  subject UUID NOT NULL,
  arm TEXT NOT NULL,
  stage INTEGER NOT NULL,
  unit_hash TEXT,
  status TEXT NOT NULL,
  latency_ms DOUBLE PRECISION
);
CREATE INDEX answer_attempt_answer_idx ON answer_attempt (answer_id);
CREATE INDEX answer_attempt_subject_sequence_idx ON answer_attempt (subject, sequence);
-- Whether a unit was asked before in the same stage.
CREATE INDEX answer_attempt_unit_idx ON answer_attempt (subject, unit_hash, stage, sequence) WHERE (unit_hash IS NOT NULL);
CREATE FUNCTION note_attempt() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO answer_attempt (sequence, answer_id, subject, arm, stage, unit_hash, status, latency_ms)
  VALUES (OLD.assignment_sequence, OLD.id, OLD.assignment_subject, OLD.assignment_arm, OLD.assignment_stage, OLD.unit_hash, OLD.status, OLD.latency_ms)\x3b
  RETURN NULL\x3b
END';
-- An answer that failed and is asked again under its request id is one row with a new outcome. The one before counts for its test as well: else a
-- candidate that fails at first would look as good as one that never does, where clients retry before anybody looks.
CREATE TRIGGER answer_retried AFTER UPDATE OF status ON answer
  FOR EACH ROW WHEN (OLD.status IN ('FAILED', 'CANCELLED') AND NEW.status = 'RUNNING' AND OLD.assignment_sequence IS NOT NULL)
  EXECUTE FUNCTION note_attempt();

-- What an answer is shown as at /v1/responses, and what it goes on from.
CREATE TABLE response (
  answer_id UUID PRIMARY KEY REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  previous_id UUID,
  -- Answers whose words it was shown: what is erased there is erased here, too.
  behind UUID[] NOT NULL,
  request JSONB NOT NULL
);
CREATE INDEX response_behind_idx ON response USING gin (behind);

-- The first judgement of an answer that was drawn into something. Written by a trigger on `feedback`.
CREATE TABLE answer_verdict (
  sequence BIGSERIAL NOT NULL,
  answer_id UUID PRIMARY KEY REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  subject UUID NOT NULL,
  arm TEXT NOT NULL,
  stage INTEGER NOT NULL,
  unit_hash TEXT,
  good BOOLEAN NOT NULL
);
CREATE INDEX answer_verdict_subject_sequence_idx ON answer_verdict (subject, sequence);
-- Whether a unit was heard before in the same stage.
CREATE INDEX answer_verdict_unit_idx ON answer_verdict (subject, unit_hash, stage, sequence) WHERE (unit_hash IS NOT NULL);
-- Who says a second thing of an answer, or says it after somebody else, changes nothing of what was counted.
CREATE FUNCTION note_verdict() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO answer_verdict (answer_id, subject, arm, stage, unit_hash, good)
  SELECT id, assignment_subject, assignment_arm, assignment_stage, unit_hash, NEW.agrees
    FROM answer WHERE id = NEW.answer_id AND assignment_sequence IS NOT NULL
  ON CONFLICT (answer_id) DO NOTHING\x3b
  RETURN NULL\x3b
END';
CREATE TRIGGER verdict_given AFTER INSERT ON feedback
  FOR EACH ROW WHEN (NEW.answer_id IS NOT NULL AND NEW.agrees IS NOT NULL) EXECUTE FUNCTION note_verdict();

-- How long a workspace keeps feedback. Without a row: for good.
CREATE TABLE feedback_retention (
  workspace_id UUID PRIMARY KEY,
  days INTEGER NOT NULL
);

-- Examples of one task, in immutable versions: see src/sources/data.
CREATE TABLE dataset (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  task TEXT NOT NULL,
  labels TEXT[],
  language TEXT,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX dataset_workspace_id_name_key ON dataset (workspace_id, name);

-- An answer, or two of the same question, that reviewers shall look at: see src/learn/feedback/review.
CREATE TABLE review_item (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  answer_id UUID NOT NULL REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  other_id UUID REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  wanted INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  dataset_id UUID REFERENCES dataset ON UPDATE CASCADE ON DELETE CASCADE,
  moves JSONB
);
CREATE INDEX review_item_answer_id_idx ON review_item (answer_id);
CREATE INDEX review_item_dataset_id_idx ON review_item (dataset_id);
CREATE INDEX review_item_other_id_idx ON review_item (other_id);
CREATE UNIQUE INDEX review_item_workspace_id_subject_key ON review_item (workspace_id, subject);
-- What is still to be done, which is little beside what was.
CREATE INDEX review_item_open_idx ON review_item (workspace_id, id) WHERE (done < wanted);

-- A draw of answers to review: each answer of its time was drawn with this probability.
CREATE TABLE review_draw (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_version_id UUID,
  from_at TIMESTAMPTZ(6) NOT NULL,
  to_at TIMESTAMPTZ(6) NOT NULL,
  probability DOUBLE PRECISION NOT NULL
);
CREATE INDEX review_draw_workspace_id_idx ON review_draw (workspace_id);

-- A reviewer's look at an item: at work until `locked_until`, by the database's clock, or done.
CREATE TABLE review (
  item_id UUID NOT NULL REFERENCES review_item ON UPDATE CASCADE ON DELETE CASCADE,
  workspace_id UUID NOT NULL,
  reviewer TEXT NOT NULL,
  locked_until TIMESTAMPTZ(6),
  done_at TIMESTAMPTZ(6),
  preferred_id UUID,
  tie BOOLEAN NOT NULL DEFAULT false,
  feedback_ids UUID[],
  confirmed BOOLEAN,
  PRIMARY KEY (item_id, reviewer)
);
CREATE INDEX review_workspace_id_reviewer_idx ON review (workspace_id, reviewer);

-- Which answer a row of a dataset version was made of, and on whose word: see src/learn/feedback/curation. No foreign keys: that it was so
-- stays when answers and feedback go.
CREATE TABLE curated_row (
  run_id UUID NOT NULL,
  answer_id UUID NOT NULL,
  workspace_id UUID NOT NULL,
  dataset_id UUID NOT NULL,
  version_id UUID,
  basis TEXT NOT NULL,
  digest TEXT NOT NULL,
  feedback_ids UUID[],
  document_ids UUID[],
  erased_at TIMESTAMPTZ(6),
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (run_id, answer_id)
);
CREATE INDEX curated_row_answer_id_idx ON curated_row (answer_id);
CREATE INDEX curated_row_version_id_answer_id_idx ON curated_row (version_id, answer_id);

CREATE TABLE dataset_version (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  dataset_id UUID NOT NULL REFERENCES dataset ON UPDATE CASCADE ON DELETE CASCADE,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  manifest JSONB NOT NULL,
  sources JSONB NOT NULL,
  counts JSONB NOT NULL,
  statistics JSONB NOT NULL,
  report JSONB NOT NULL,
  open_errors INTEGER NOT NULL,
  withdrawn_at TIMESTAMPTZ(6),
  withdrawn_reason TEXT,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  withdrawn_by UUID
);
CREATE UNIQUE INDEX dataset_version_dataset_id_digest_key ON dataset_version (dataset_id, digest);
CREATE UNIQUE INDEX dataset_version_dataset_id_version_key ON dataset_version (dataset_id, version);
CREATE INDEX dataset_version_workspace_id_id_idx ON dataset_version (workspace_id, id);

-- A Parquet file with a part of a version's rows.
CREATE TABLE dataset_row_group (
  version_id UUID NOT NULL REFERENCES dataset_version ON UPDATE CASCADE ON DELETE CASCADE,
  "position" INTEGER NOT NULL,
  file_id UUID NOT NULL,
  sha256 TEXT NOT NULL,
  rows INTEGER NOT NULL,
  quarantined BOOLEAN NOT NULL,
  PRIMARY KEY (version_id, "position")
);

-- A file that rows of a version were exported to: it goes when the version is withdrawn.
CREATE TABLE dataset_export (
  file_id UUID PRIMARY KEY,
  version_id UUID NOT NULL REFERENCES dataset_version ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX dataset_export_version_id_idx ON dataset_export (version_id);

CREATE TABLE dataset_parent (
  version_id UUID NOT NULL REFERENCES dataset_version ON UPDATE CASCADE ON DELETE CASCADE,
  parent_id UUID NOT NULL REFERENCES dataset_version ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY (version_id, parent_id)
);
CREATE INDEX dataset_parent_parent_id_idx ON dataset_parent (parent_id);

-- Named, typed values of an entity over time.
CREATE TABLE feature_view (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  entity TEXT NOT NULL,
  fields JSONB NOT NULL,
  ttl_seconds INTEGER,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX feature_view_workspace_id_name_key ON feature_view (workspace_id, name);

CREATE TABLE feature_row (
  id UUID PRIMARY KEY,
  view_id UUID NOT NULL REFERENCES feature_view ON UPDATE CASCADE ON DELETE CASCADE,
  entity TEXT NOT NULL,
  event_time TIMESTAMPTZ(3) NOT NULL,
  created_time TIMESTAMPTZ(3) NOT NULL,
  "values" JSONB NOT NULL
);
CREATE INDEX feature_row_view_id_entity_event_time_created_time_idx ON feature_row (view_id, entity, event_time DESC, created_time DESC);
CREATE UNIQUE INDEX feature_row_view_id_entity_event_time_created_time_key ON feature_row (view_id, entity, event_time, created_time);

-- Labelled rows of a dataset version as vectors: those nearest to a text say its label. The row is there before the first vector:
-- where rows are erased, it is the reminder.
CREATE TABLE label_index (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  dataset_version_id UUID NOT NULL,
  embedder_digest TEXT NOT NULL,
  rows INTEGER NOT NULL,
  fit JSONB,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX label_index_dataset_version_id_idx ON label_index (dataset_version_id);

-- How much an adapter and the nearest rows count when both say the label.
CREATE TABLE label_blend (
  label_index_id UUID NOT NULL REFERENCES label_index ON UPDATE CASCADE ON DELETE CASCADE,
  adapter_version_id UUID NOT NULL,
  weights JSONB NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (label_index_id, adapter_version_id)
);

-- What was learned of where questions belong. The newest one is asked.
CREATE TABLE router_version (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  version INTEGER NOT NULL,
  embedder_digest TEXT NOT NULL,
  mode TEXT NOT NULL,
  learned JSONB NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  mode_set_at TIMESTAMPTZ(6)
);
CREATE UNIQUE INDEX router_version_workspace_id_version_key ON router_version (workspace_id, version);

-- Vectors of inputs that an adapter version was trained on: how near a question lies to what it knows.
CREATE TABLE adapter_sample (
  workspace_id UUID NOT NULL,
  adapter_version_id UUID PRIMARY KEY,
  embedder_digest TEXT NOT NULL,
  dimensions INTEGER NOT NULL,
  vectors BYTEA NOT NULL,
  classes INTEGER NOT NULL,
  ordinals INTEGER[],
  labels TEXT[],
  weights BYTEA NOT NULL
);
CREATE INDEX adapter_sample_workspace_id_idx ON adapter_sample (workspace_id);

-- What tells an adapter version's own messages from foreign ones.
CREATE TABLE adapter_membership (
  workspace_id UUID NOT NULL,
  adapter_version_id UUID PRIMARY KEY,
  embedder_digest TEXT NOT NULL,
  learned JSONB NOT NULL,
  regression BYTEA NOT NULL,
  rows BYTEA NOT NULL
);
CREATE INDEX adapter_membership_workspace_id_idx ON adapter_membership (workspace_id);

-- How well a model, with or without an adapter, answers rows of a dataset version. Its id is that of the run that measures.
CREATE TABLE evaluation (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_version_id UUID,
  variant_id UUID NOT NULL,
  compared BOOLEAN NOT NULL,
  against_version_id UUID,
  dataset_version_id UUID NOT NULL,
  split TEXT NOT NULL,
  rows INTEGER NOT NULL DEFAULT 0,
  figures JSONB,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  scale DOUBLE PRECISION,
  against_scale DOUBLE PRECISION
);
CREATE INDEX evaluation_adapter_version_id_idx ON evaluation (adapter_version_id);
CREATE INDEX evaluation_dataset_version_id_idx ON evaluation (dataset_version_id);
CREATE INDEX evaluation_workspace_id_id_idx ON evaluation (workspace_id, id);

-- One row as it was answered. The texts are those of people: a rule removes them with the rows of the dataset version.
CREATE TABLE evaluation_row (
  evaluation_id UUID NOT NULL REFERENCES evaluation ON UPDATE CASCADE ON DELETE CASCADE,
  "position" INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  input TEXT NOT NULL,
  expected TEXT NOT NULL,
  answer TEXT NOT NULL,
  probability DOUBLE PRECISION,
  score DOUBLE PRECISION NOT NULL,
  against_answer TEXT,
  against_probability DOUBLE PRECISION,
  against_score DOUBLE PRECISION,
  PRIMARY KEY (evaluation_id, "position")
);

-- A version on its way to production: see src/ship/delivery/rollouts. Names and numbers stay when the adapter is deleted.
CREATE TABLE rollout (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL,
  adapter TEXT NOT NULL,
  candidate_id UUID NOT NULL,
  candidate_version INTEGER NOT NULL,
  against_id UUID NOT NULL,
  against_version INTEGER NOT NULL,
  run_id UUID NOT NULL,
  status TEXT NOT NULL,
  awaits_approval BOOLEAN NOT NULL DEFAULT false,
  step INTEGER NOT NULL DEFAULT 0,
  share DOUBLE PRECISION NOT NULL,
  controls DOUBLE PRECISION NOT NULL,
  salt UUID NOT NULL,
  plan JSONB NOT NULL,
  state JSONB NOT NULL,
  gate JSONB NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  watched_ms DOUBLE PRECISION NOT NULL DEFAULT 0,
  last_sequence BIGINT NOT NULL DEFAULT 0,
  recent_sequences BIGINT[] NOT NULL DEFAULT '{}',
  idempotency_key TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  started_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at TIMESTAMPTZ(6),
  last_verdict BIGINT NOT NULL DEFAULT 0,
  recent_verdicts BIGINT[] NOT NULL DEFAULT '{}',
  shadow_id UUID
);
CREATE INDEX rollout_workspace_id_adapter_idx ON rollout (workspace_id, adapter);
CREATE UNIQUE INDEX rollout_workspace_id_idempotency_key_key ON rollout (workspace_id, idempotency_key);
-- Two rollouts of one adapter would each take the other's users for their own.
CREATE UNIQUE INDEX rollout_live_idx ON rollout (adapter_id) WHERE (finished_at IS NULL);

-- What was decided of a rollout, with what it rested on. Rows are only ever added.
CREATE TABLE rollout_decision (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  rollout_id UUID NOT NULL REFERENCES rollout ON UPDATE CASCADE ON DELETE CASCADE,
  action TEXT NOT NULL,
  "check" TEXT NOT NULL,
  reasons TEXT[] NOT NULL,
  step INTEGER NOT NULL,
  share DOUBLE PRECISION NOT NULL,
  decided_by TEXT,
  reason TEXT,
  evidence JSONB NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX rollout_decision_rollout_id_id_idx ON rollout_decision (rollout_id, id);

-- Arms beside each other on the same traffic: see src/ship/delivery/experiments.
CREATE TABLE experiment (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  adapter TEXT,
  adapter_id UUID,
  production_id UUID,
  run_id UUID,
  status TEXT NOT NULL,
  phase INTEGER NOT NULL DEFAULT 0,
  salt UUID NOT NULL,
  plan JSONB NOT NULL,
  state JSONB NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  watched_ms DOUBLE PRECISION NOT NULL DEFAULT 0,
  last_sequence BIGINT NOT NULL DEFAULT 0,
  recent_sequences BIGINT[] NOT NULL DEFAULT '{}',
  last_feedback BIGINT NOT NULL DEFAULT 0,
  recent_feedback BIGINT[] NOT NULL DEFAULT '{}',
  verdict TEXT NOT NULL DEFAULT 'INCONCLUSIVE',
  winner TEXT,
  final BOOLEAN NOT NULL DEFAULT false,
  idempotency_key TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  created_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at TIMESTAMPTZ(6),
  finished_at TIMESTAMPTZ(6)
);
CREATE INDEX experiment_live_idx ON experiment (id) WHERE ((run_id IS NOT NULL) AND (finished_at IS NULL));
CREATE INDEX experiment_workspace_id_id_idx ON experiment (workspace_id, id);
CREATE UNIQUE INDEX experiment_workspace_id_idempotency_key_key ON experiment (workspace_id, idempotency_key);

-- What happened to an experiment, and why. Rows are only ever added.
CREATE TABLE experiment_decision (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  experiment_id UUID NOT NULL REFERENCES experiment ON UPDATE CASCADE ON DELETE CASCADE,
  action TEXT NOT NULL,
  reasons TEXT[] NOT NULL,
  phase INTEGER NOT NULL,
  answers INTEGER NOT NULL,
  decided_by TEXT,
  reason TEXT,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX experiment_decision_experiment_id_id_idx ON experiment_decision (experiment_id, id);

-- Intervals as they were after so many answers, ever further apart, for their plot.
CREATE TABLE experiment_point (
  experiment_id UUID NOT NULL REFERENCES experiment ON UPDATE CASCADE ON DELETE CASCADE,
  phase INTEGER NOT NULL,
  answers INTEGER NOT NULL,
  comparisons JSONB NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (experiment_id, phase, answers)
);

-- A unit while the experiment runs: its arm, what was counted of it, and how it was before. They go with the experiment's end.
CREATE TABLE experiment_unit (
  experiment_id UUID NOT NULL REFERENCES experiment ON UPDATE CASCADE ON DELETE CASCADE,
  unit_hash TEXT NOT NULL,
  phase INTEGER NOT NULL,
  taken TEXT[] NOT NULL DEFAULT '{}',
  before_metrics TEXT[] NOT NULL DEFAULT '{}',
  before_counts DOUBLE PRECISION[] NOT NULL DEFAULT '{}'::double precision[],
  before_sums DOUBLE PRECISION[] NOT NULL DEFAULT '{}'::double precision[],
  PRIMARY KEY (experiment_id, unit_hash)
);

-- What was counted of the feedback on an answer, so that it can be taken back when somebody says something else.
CREATE TABLE experiment_feedback (
  experiment_id UUID NOT NULL REFERENCES experiment ON UPDATE CASCADE ON DELETE CASCADE,
  answer_id UUID NOT NULL,
  opinion BOOLEAN,
  expected BOOLEAN,
  PRIMARY KEY (experiment_id, answer_id)
);

-- A version that answers a sample of live questions beside what is served, unseen: see src/ship/delivery/shadow.
CREATE TABLE shadow (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL,
  adapter TEXT NOT NULL,
  candidate_id UUID NOT NULL,
  candidate_version INTEGER NOT NULL,
  against_id UUID NOT NULL,
  against_version INTEGER NOT NULL,
  run_id UUID NOT NULL,
  status TEXT NOT NULL,
  share DOUBLE PRECISION NOT NULL,
  most_per_hour INTEGER NOT NULL,
  least_answers INTEGER NOT NULL,
  answered INTEGER NOT NULL DEFAULT 0,
  skipped JSONB NOT NULL,
  error_code TEXT,
  idempotency_key TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  started_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  ended_by TEXT,
  end_reason TEXT,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at TIMESTAMPTZ(6)
);
CREATE INDEX shadow_candidate_id_idx ON shadow (candidate_id);
CREATE INDEX shadow_workspace_id_adapter_idx ON shadow (workspace_id, adapter);
CREATE UNIQUE INDEX shadow_workspace_id_idempotency_key_key ON shadow (workspace_id, idempotency_key);
-- Two shadows of one adapter would cost twice.
CREATE UNIQUE INDEX shadow_live_idx ON shadow (adapter_id) WHERE (finished_at IS NULL);
-- Whose answers are sampled.
CREATE INDEX shadow_sampling_idx ON shadow (against_id) WHERE (finished_at IS NULL);

-- A sampled answer, and how what a candidate would have said differs from it. Nothing of either's text is kept.
CREATE TABLE shadow_pair (
  shadow_id UUID NOT NULL REFERENCES shadow ON UPDATE CASCADE ON DELETE CASCADE,
  answer_id UUID NOT NULL REFERENCES answer ON UPDATE CASCADE ON DELETE CASCADE,
  workspace_id UUID NOT NULL,
  status TEXT NOT NULL,
  why TEXT,
  same BOOLEAN,
  similarity REAL,
  verdict TEXT,
  served_label TEXT,
  candidate_label TEXT,
  served_abstained BOOLEAN,
  candidate_abstained BOOLEAN,
  served_confidence REAL,
  candidate_confidence REAL,
  served_ms REAL,
  candidate_ms REAL,
  served_compute_ms REAL,
  candidate_compute_ms REAL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  asked_at TIMESTAMPTZ(6),
  PRIMARY KEY (shadow_id, answer_id)
);
CREATE INDEX shadow_pair_answer_id_idx ON shadow_pair (answer_id);
CREATE INDEX shadow_pair_open_idx ON shadow_pair (shadow_id, status, answer_id) WHERE (status = ANY (ARRAY['WAITING'::text, 'SKIPPED'::text]));
CREATE INDEX shadow_pair_shadow_id_asked_at_idx ON shadow_pair (shadow_id, asked_at);
-- An answer of the version that is compared is sampled by a hash of its id in the transaction that settles it: once, whatever dies
-- afterwards. No more than twenty wait, so that a queue never grows: the next ones are skipped, and counted.
CREATE FUNCTION sample_for_shadow() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO shadow_pair (shadow_id, answer_id, workspace_id, status, why)
  SELECT shadow.id, NEW.id, NEW.workspace_id,
         CASE WHEN waiting.n < 20 THEN \'WAITING\' ELSE \'SKIPPED\' END, CASE WHEN waiting.n < 20 THEN NULL ELSE \'BUSY\' END
    FROM shadow
    JOIN run ON run.id = shadow.run_id AND run.finished_at IS NULL
   CROSS JOIN LATERAL (
     SELECT count(*) AS n FROM (
       SELECT 1 FROM shadow_pair WHERE shadow_id = shadow.id AND status = \'WAITING\' LIMIT 20) AS those) AS waiting
   WHERE shadow.against_id = NEW.adapter_version_id AND shadow.finished_at IS NULL
     AND (\'x\' || substr(md5(shadow.id::text || NEW.id::text), 1, 8))::bit(32)::bigint < shadow.share * 4294967296
  ON CONFLICT DO NOTHING\x3b
  RETURN NULL\x3b
END';
CREATE TRIGGER answer_added_for_shadow AFTER INSERT ON answer
  FOR EACH ROW WHEN (NEW.status = 'COMPLETE' AND NEW.adapter_version_id IS NOT NULL AND NEW.assignment_forced IS NOT TRUE)
  EXECUTE FUNCTION sample_for_shadow();
CREATE TRIGGER answer_settled_for_shadow AFTER UPDATE OF status ON answer
  FOR EACH ROW WHEN (OLD.status = 'RUNNING' AND NEW.status = 'COMPLETE' AND NEW.adapter_version_id IS NOT NULL
                     AND NEW.assignment_forced IS NOT TRUE)
  EXECUTE FUNCTION sample_for_shadow();

-- A version that shall answer as production, with what speaks for it: see src/ship/delivery/proposals.
CREATE TABLE proposal (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL,
  adapter TEXT NOT NULL,
  candidate_id UUID NOT NULL,
  candidate_version INTEGER NOT NULL,
  replaces_id UUID,
  replaces_version INTEGER,
  rollout_id UUID,
  experiment_id UUID,
  gate JSONB NOT NULL,
  status TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  rationale TEXT NOT NULL,
  decided_by TEXT,
  reason TEXT,
  decided_at TIMESTAMPTZ(6),
  alias_change_id UUID,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX proposal_open_idx ON proposal (adapter_id) WHERE (status = 'OPEN'::text);
CREATE INDEX proposal_rollout_id_idx ON proposal (rollout_id);
CREATE INDEX proposal_workspace_id_status_idx ON proposal (workspace_id, status);

-- What the series have yet to count: an answer that was settled, written by a trigger in its own transaction: see src/operate/monitoring/series.
CREATE TABLE metric_outbox (
  id BIGSERIAL PRIMARY KEY,
  workspace_id UUID NOT NULL,
  kind TEXT NOT NULL,
  subject_id UUID NOT NULL,
  status TEXT NOT NULL,
  error_code TEXT,
  at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- An answer that is settled leaves a line in the same transaction: whoever rolls up can't miss one that commits late, and an answer that is
-- tried again leaves one for each outcome.
CREATE FUNCTION note_settled_answer() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO metric_outbox (workspace_id, kind, subject_id, status, error_code, at)
  VALUES (NEW.workspace_id, \'ANSWER\', NEW.id, NEW.status, NEW.error_code, coalesce(NEW.finished_at, now()))\x3b
  RETURN NULL\x3b
END';
CREATE TRIGGER answer_added AFTER INSERT ON answer
  FOR EACH ROW WHEN (NEW.status <> 'RUNNING') EXECUTE FUNCTION note_settled_answer();
CREATE TRIGGER answer_settled AFTER UPDATE OF status ON answer
  FOR EACH ROW WHEN (OLD.status = 'RUNNING' AND NEW.status <> 'RUNNING') EXECUTE FUNCTION note_settled_answer();
-- What is said of an answer is noted like the answer itself.
CREATE FUNCTION note_feedback() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN
  INSERT INTO metric_outbox (workspace_id, kind, subject_id, status, at)
  VALUES (NEW.workspace_id, \'FEEDBACK\', NEW.id, NEW.kind, NEW.created_at)\x3b
  RETURN NULL\x3b
END';
CREATE TRIGGER feedback_given AFTER INSERT ON feedback
  FOR EACH ROW WHEN (NEW.answer_id IS NOT NULL) EXECUTE FUNCTION note_feedback();

-- One combination of what answers were made with. Names, which stay when what they name is deleted. Empty where there is none, `*` for the total of all.
CREATE TABLE metric_series (
  id SERIAL PRIMARY KEY,
  workspace_id UUID NOT NULL,
  model TEXT NOT NULL DEFAULT '',
  adapter TEXT NOT NULL DEFAULT '',
  strategy TEXT NOT NULL DEFAULT '',
  collection TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  arm TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX metric_series_workspace_id_model_adapter_strategy_collectio_key ON metric_series (workspace_id, model, adapter, strategy, collection, subject, arm);

-- Counts and sums of a metric in a minute, an hour or a day. Each resolution is counted by itself and kept for its own time.
CREATE TABLE metric_bucket (
  workspace_id UUID NOT NULL,
  resolution TEXT NOT NULL,
  metric TEXT NOT NULL,
  start TIMESTAMPTZ(3) NOT NULL,
  series_id INTEGER NOT NULL REFERENCES metric_series ON UPDATE CASCADE ON DELETE CASCADE,
  bin INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  count BIGINT NOT NULL,
  sum DOUBLE PRECISION NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, resolution, metric, series_id, start, bin, detail)
) WITH (fillfactor = 80);
CREATE INDEX metric_bucket_resolution_start_idx ON metric_bucket (resolution, start);

-- Up to where buckets were deleted by age. It moves in small steps, so that a clock that jumps ahead takes little with it.
CREATE TABLE metric_retention (
  resolution TEXT PRIMARY KEY,
  kept_from TIMESTAMPTZ(3) NOT NULL
);

-- When answers of a kind are to raise an alert: see src/operate/monitoring/alerts.
CREATE TABLE alert_rule (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  name TEXT NOT NULL,
  rule JSONB NOT NULL,
  state JSONB NOT NULL,
  enabled BOOLEAN NOT NULL DEFAULT true,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX alert_rule_workspace_id_name_key ON alert_rule (workspace_id, name);

-- Something that was shown to be otherwise than it should be. One of a source at a time is not resolved: an index of the migration.
CREATE TABLE alert (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  rule_id UUID REFERENCES alert_rule ON UPDATE CASCADE ON DELETE SET NULL,
  status TEXT NOT NULL,
  sentence TEXT NOT NULL,
  evidence DOUBLE PRECISION NOT NULL,
  observations INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  raised_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_raised_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  recovered_at TIMESTAMPTZ(6),
  acknowledged_at TIMESTAMPTZ(6),
  acknowledged_by TEXT,
  resolved_at TIMESTAMPTZ(6),
  resolved_by TEXT,
  quiet_minutes DOUBLE PRECISION NOT NULL
);
CREATE INDEX alert_workspace_id_id_idx ON alert (workspace_id, id);
CREATE INDEX alert_workspace_id_source_status_idx ON alert (workspace_id, source, status);
-- One alert of a source at a time is open, whichever gateways raise it.
CREATE UNIQUE INDEX alert_open ON alert (workspace_id, source) WHERE (status <> 'RESOLVED'::text);

-- Where alerts are told: see src/operate/monitoring/webhooks.
CREATE TABLE webhook (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX webhook_workspace_id_url_key ON webhook (workspace_id, url);

-- Something that a webhook is told, until it has heard it or was asked too often.
CREATE TABLE webhook_delivery (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  webhook_id UUID NOT NULL REFERENCES webhook ON UPDATE CASCADE ON DELETE CASCADE,
  payload JSONB NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  outcome TEXT NOT NULL DEFAULT '',
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  ended_at TIMESTAMPTZ(6)
);
CREATE INDEX webhook_delivery_status_next_at_idx ON webhook_delivery (status, next_at);
CREATE INDEX webhook_delivery_webhook_id_id_idx ON webhook_delivery (webhook_id, id);

-- Questions or labels that are watched for change. Of them only counts are kept: see src/operate/monitoring/drift.
CREATE TABLE drift_stream (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  adapter_version_id UUID,
  embedder_digest TEXT,
  vectors BYTEA,
  dimensions INTEGER,
  state JSONB NOT NULL,
  updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX drift_stream_workspace_id_kind_name_key ON drift_stream (workspace_id, kind, name);

-- An answer whose question is yet to be placed. The question itself stays with its answer.
CREATE TABLE drift_question (
  id BIGSERIAL PRIMARY KEY,
  workspace_id UUID NOT NULL,
  answer_id UUID NOT NULL,
  adapter_version_id UUID,
  adapter TEXT NOT NULL
);

-- When an adapter is trained anew from feedback, and how far that goes by itself: see src/ship/improvement.
CREATE TABLE retraining_policy (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL REFERENCES adapter ON UPDATE CASCADE ON DELETE CASCADE,
  settings JSONB NOT NULL,
  paused_reason TEXT,
  set_by TEXT NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX retraining_policy_adapter_id_key ON retraining_policy (adapter_id);
CREATE INDEX retraining_policy_workspace_id_id_idx ON retraining_policy (workspace_id, id);

-- One way through the loop: from feedback to a dataset version, a trained version, a rollout and a proposal. Its columns are the edges.
CREATE TABLE improvement (
  id UUID PRIMARY KEY,
  workspace_id UUID NOT NULL,
  adapter_id UUID NOT NULL REFERENCES adapter ON UPDATE CASCADE ON DELETE CASCADE,
  run_id UUID NOT NULL,
  policy_id UUID,
  trigger TEXT NOT NULL,
  reason TEXT NOT NULL,
  started_by TEXT NOT NULL,
  settings JSONB NOT NULL,
  production_id UUID,
  curation_run_id UUID,
  dataset_version_id UUID,
  training_run_ids UUID[] NOT NULL DEFAULT '{}',
  evaluation_run_ids UUID[] NOT NULL DEFAULT '{}',
  adapter_version_id UUID,
  rollout_id UUID,
  proposal_id UUID,
  outcome TEXT,
  message TEXT NOT NULL DEFAULT '',
  new_rows INTEGER NOT NULL DEFAULT 0,
  training_seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
  evaluation_seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
  created_at TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at TIMESTAMPTZ(6)
);
CREATE INDEX improvement_adapter_id_id_idx ON improvement (adapter_id, id);
CREATE INDEX improvement_adapter_version_id_idx ON improvement (adapter_version_id);
CREATE INDEX improvement_dataset_version_id_idx ON improvement (dataset_version_id);
CREATE INDEX improvement_workspace_id_id_idx ON improvement (workspace_id, id);
-- Two at once would each train the adapter on rows that the other doesn't have.
CREATE UNIQUE INDEX improvement_live_idx ON improvement (adapter_id) WHERE (finished_at IS NULL);

-- What was made of a person's rows goes with them, wherever it is, in the transaction that withdraws their version.
CREATE RULE forget_evaluated_rows AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM evaluation_row USING evaluation
  WHERE evaluation.id = evaluation_row.evaluation_id AND evaluation.dataset_version_id = NEW.id;
CREATE RULE forget_adapter_samples AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM adapter_sample USING adapter_version
  WHERE adapter_version.id = adapter_sample.adapter_version_id AND adapter_version.dataset_version_id = NEW.id;
CREATE RULE forget_adapter_memberships AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM adapter_membership USING adapter_version
  WHERE adapter_version.id = adapter_membership.adapter_version_id AND adapter_version.dataset_version_id = NEW.id;
CREATE RULE forget_drift_of_questions AS ON UPDATE TO dataset_version WHERE NEW.withdrawn_at IS NOT NULL
DO ALSO DELETE FROM drift_stream USING adapter_version
  WHERE drift_stream.kind = 'QUESTIONS' AND adapter_version.id = drift_stream.adapter_version_id AND adapter_version.dataset_version_id = NEW.id;

-- A second wall behind the queries: PostgreSQL shows no rows of another workspace than the one that the session says it works for.
-- graft.workspace is the id of a workspace, or system (all of them). Where it says nothing, there is nothing to see.
-- What it says stands in subqueries, which are evaluated once a statement, not once a row. In functions they would take twice as long to plan.
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

ALTER TABLE workspace ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON workspace USING ((SELECT current_setting('graft.workspace', true) = 'system') OR id = (SELECT nullif(nullif(current_setting('graft.workspace', true), 'system'), '')::uuid));

-- Tables that hang on one: a row is seen by whoever sees what it belongs to.
ALTER TABLE adapter_alias ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON adapter_alias
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM adapter WHERE adapter.id = adapter_id));

ALTER TABLE answer_verdict ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON answer_verdict
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM answer WHERE answer.id = answer_id));

ALTER TABLE response ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON response
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM answer WHERE answer.id = answer_id));

ALTER TABLE chunk_term ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON chunk_term
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR collection_id IN (SELECT id FROM collection));

ALTER TABLE dataset_row_group ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON dataset_row_group
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM dataset_version WHERE dataset_version.id = version_id));

ALTER TABLE dataset_export ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON dataset_export
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM dataset_version WHERE dataset_version.id = version_id));

ALTER TABLE dataset_parent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON dataset_parent
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM dataset_version WHERE dataset_version.id = version_id));

ALTER TABLE feature_row ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON feature_row
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM feature_view WHERE feature_view.id = view_id));

ALTER TABLE label_blend ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON label_blend
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM label_index WHERE label_index.id = label_index_id));

ALTER TABLE evaluation_row ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON evaluation_row
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM evaluation WHERE evaluation.id = evaluation_id));

ALTER TABLE experiment_point ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON experiment_point
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM experiment WHERE experiment.id = experiment_id));

ALTER TABLE experiment_unit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON experiment_unit
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM experiment WHERE experiment.id = experiment_id));

ALTER TABLE experiment_feedback ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON experiment_feedback
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM experiment WHERE experiment.id = experiment_id));

ALTER TABLE answer_attempt ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON answer_attempt
  USING ((SELECT current_setting('graft.workspace', true) = 'system') OR EXISTS (SELECT 1 FROM answer WHERE answer.id = answer_id));

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
