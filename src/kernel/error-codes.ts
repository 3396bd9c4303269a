/**
 * The closed list of error codes. `schema/errors.md` is printed from it and checked.
 * `retry`: `no`, the same request fails again; `later`, it may pass when the cause is gone; `safe`, send it again at once.
 */
interface ErrorCodeEntry {
  readonly meaning: string;
  readonly retry: 'no' | 'later' | 'safe';
  /** HTTP status of a response that is nothing but this error: 4xx for what the client sent or chose, 5xx for what is Graft's. */
  readonly status: number;
  readonly whatToDo: string;
}

const define = <T extends Record<string, ErrorCodeEntry>>(codes: T) =>
  codes as { readonly [K in keyof T]: ErrorCodeEntry };

export const ERROR_CODES = define({
  BAD_USER_INPUT: {
    meaning: 'A value in the request breaks a rule that its description states.',
    retry: 'no',
    status: 400,
    whatToDo: 'Correct the argument named in `field`.',
  },
  NOT_FOUND: {
    meaning: 'Nothing with this id or name exists in your workspace.',
    retry: 'no',
    status: 404,
    whatToDo: 'List what exists; an id of another workspace reads the same.',
  },
  ALREADY_EXISTS: {
    meaning: 'The name is taken in your workspace.',
    retry: 'no',
    status: 409,
    whatToDo: 'Choose another name, or use the existing object.',
  },
  CONFLICT: {
    meaning: 'The object is not in a state that allows this.',
    retry: 'no',
    status: 409,
    whatToDo: 'Read its status; the message says what is needed first.',
  },
  IDEMPOTENCY_CONFLICT: {
    meaning: 'The idempotency key or request id was used before with different input.',
    retry: 'no',
    status: 409,
    whatToDo: 'Use a new key for new work.',
  },
  QUERY_TOO_COMPLEX: {
    meaning: 'The document or its JSON exceeds a limit on size, tokens, depth, aliases, root fields, values or cost.',
    retry: 'no',
    status: 400,
    whatToDo: 'Ask for less in one operation; the message names the limit and the value.',
  },
  PAYLOAD_TOO_LARGE: {
    meaning: 'The body or the file is larger than the limit.',
    retry: 'no',
    status: 413,
    whatToDo: 'Send a smaller file or raise the limit in the configuration.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    meaning: 'No parser takes this kind of file.',
    retry: 'no',
    status: 415,
    whatToDo: 'Convert it to one of the kinds that the message lists.',
  },
  DOCUMENT_UNREADABLE: {
    meaning: 'The file says it is of a supported kind but could not be parsed.',
    retry: 'no',
    status: 422,
    whatToDo: 'Open it in its own program and save it again.',
  },
  QUESTION_TOO_LONG: {
    meaning: 'The question leaves no room in the model’s context, or can’t be read here before its deadline.',
    retry: 'no',
    status: 400,
    whatToDo: 'Shorten it; the message gives the limit in tokens, or how long reading it would take.',
  },
  MODEL_FILE_INVALID: {
    meaning: 'The model file is truncated, corrupt or not GGUF.',
    retry: 'no',
    status: 422,
    whatToDo: 'Download it again and compare its SHA-256.',
  },
  MODEL_DIGEST_MISMATCH: {
    meaning: 'The file’s SHA-256 differs from the expected one.',
    retry: 'no',
    status: 422,
    whatToDo: 'Use the file of the named release; nothing was kept.',
  },
  MODEL_UNSUPPORTED: {
    meaning: 'The model’s architecture or tensor type can’t be served here.',
    retry: 'no',
    status: 422,
    whatToDo: 'Choose a text-generation GGUF of a supported architecture.',
  },
  MODEL_UNAVAILABLE: {
    meaning: 'No source of the model could be reached.',
    retry: 'later',
    status: 503,
    whatToDo: 'Put the file in the models folder, or open the network path that the message names.',
  },
  ADAPTER_UNAVAILABLE: {
    meaning: 'The adapter’s file is gone.',
    retry: 'no',
    status: 410,
    whatToDo: 'Roll back to another version, or import the adapter again.',
  },
  ADAPTER_DIGEST_MISMATCH: {
    meaning: 'The adapter’s file is not the one that was registered: its SHA-256 differs.',
    retry: 'no',
    status: 500,
    whatToDo: 'Import or train the adapter again; nothing was answered with the changed file.',
  },
  ADAPTER_WRONG_BASE: {
    meaning: 'The adapter was trained for another model: architecture, a module or a shape differs.',
    retry: 'no',
    status: 422,
    whatToDo: 'Use it with the model that it was trained on.',
  },
  WORKER_CRASHED: {
    meaning: 'The worker process died while it did this work.',
    retry: 'safe',
    status: 503,
    whatToDo: 'Send the request again; the worker restarts by itself.',
  },
  WORKER_UNAVAILABLE: {
    meaning: 'The worker is starting, or was stopped after repeated crashes.',
    retry: 'later',
    status: 503,
    whatToDo: 'Look at `/readyz` and the log.',
  },
  OVERLOADED: {
    meaning:
      'More is waiting than can be begun in the time that anybody is let wait; nothing was done or counted for this.',
    retry: 'later',
    status: 503,
    whatToDo: 'Send it again after `retryAfterMs` (at `/v1`: `Retry-After`), or with backoff where there is none.',
  },
  DEADLINE_EXCEEDED: {
    meaning: 'The work took longer than it was allowed; what streams got no further for so long.',
    retry: 'later',
    status: 504,
    whatToDo: 'Ask for less (fewer tokens), or raise the deadline.',
  },
  CANCELLED: {
    meaning: 'The caller withdrew the request.',
    retry: 'safe',
    status: 499,
    whatToDo: 'Nothing; send it again if you still want it.',
  },
  DATABASE_UNAVAILABLE: {
    meaning: 'PostgreSQL can’t be reached.',
    retry: 'later',
    status: 503,
    whatToDo: 'Nothing acknowledged is lost; it reconnects by itself.',
  },
  VECTOR_STORE_UNAVAILABLE: {
    meaning: 'Chroma can’t be reached.',
    retry: 'later',
    status: 503,
    whatToDo: 'Lexical search still works; it reconnects by itself.',
  },
  STORAGE_FAILED: {
    meaning: 'A file could not be written or read back whole.',
    retry: 'later',
    status: 500,
    whatToDo: 'Check free space and permissions of GRAFT_HOME.',
  },
  STORAGE_UNAVAILABLE: {
    meaning:
      'A file lies where this gateway can’t read it now: in another gateway’s home, or in a store that doesn’t answer.',
    retry: 'later',
    status: 503,
    whatToDo:
      'A store that was away is asked again by itself. Ask the gateway that the message names, or give all one store.',
  },
  SETUP_FAILED: {
    meaning: 'A part that Graft needs can’t start on this machine.',
    retry: 'no',
    status: 500,
    whatToDo: 'Follow the ways out that the message lists.',
  },
  PROTOCOL_ERROR: {
    meaning: 'Gateway and worker did not understand each other.',
    retry: 'no',
    status: 500,
    whatToDo: 'Install both from the same release.',
  },
  INTERNAL_ERROR: {
    meaning: 'Something unexpected happened; details are in the log only.',
    retry: 'later',
    status: 500,
    whatToDo: 'Quote the request id when you report it.',
  },
  GRAPHQL_PARSE_FAILED: {
    meaning: 'The document is not GraphQL.',
    retry: 'no',
    status: 400,
    whatToDo: 'Correct the syntax at the location that the error names.',
  },
  GRAPHQL_VALIDATION_FAILED: {
    meaning: 'The document does not fit the schema.',
    retry: 'no',
    status: 400,
    whatToDo: 'Compare it with `schema/schema.graphql`, at the location that the error names.',
  },
  BAD_REQUEST: {
    meaning: 'The HTTP request is not one that GraphQL over HTTP or `POST /files` takes.',
    retry: 'no',
    status: 400,
    whatToDo: 'Send JSON by POST with `content-type: application/json`; the message says what is missing.',
  },
  ORIGIN_NOT_ALLOWED: {
    meaning: 'The request comes from a web page of another origin, or names a host that is not this gateway.',
    retry: 'no',
    status: 403,
    whatToDo: 'Add the origin to GRAFT_ALLOWED_ORIGINS, or the host name to GRAFT_ALLOWED_HOSTS.',
  },
  UNAUTHENTICATED: {
    meaning: 'The request has no key or token, or one that is wrong, expired or revoked.',
    retry: 'no',
    status: 401,
    whatToDo: 'Send `Authorization: Bearer <key>`, never a key in an address; an administrator makes one.',
  },
  IDENTITY_PROVIDER_UNAVAILABLE: {
    meaning: 'The provider that signs tokens can’t be asked for its keys, so no token can be checked.',
    retry: 'later',
    status: 503,
    whatToDo: 'Send it again in a while; keys of Graft work meanwhile.',
  },
  TOO_MANY_ATTEMPTS: {
    meaning: 'Too many wrong keys came from your address.',
    retry: 'later',
    status: 429,
    whatToDo: 'Correct the key, and wait as long as the hint says.',
  },
  FORBIDDEN: {
    meaning: 'Your role does not allow this.',
    retry: 'no',
    status: 403,
    whatToDo: 'The message names the role that is needed; an administrator of the workspace makes a key with it.',
  },
  OPERATION_NOT_LISTED: {
    meaning: 'This gateway answers listed operations only, and the document is none of them.',
    retry: 'no',
    status: 403,
    whatToDo: 'Send an operation of `schema/operations`, or have yours added to GRAFT_OPERATIONS_FOLDER.',
  },
  BUDGET_EXCEEDED: {
    meaning:
      'Your key or your workspace has spent what it may in this hour, day or month, or has as much under way as it may.',
    retry: 'later',
    status: 429,
    whatToDo: 'The hint says when the budget begins anew; an administrator can raise it with `setBudget`.',
  },
  SHUTTING_DOWN: {
    meaning: 'The gateway finishes what it has begun and takes no new work.',
    retry: 'later',
    status: 503,
    whatToDo: 'Send it again when `/readyz` says 200.',
  },
  DATA_FILE_INVALID: {
    meaning: 'A data file can’t be read as what it is, or holds no row.',
    retry: 'no',
    status: 422,
    whatToDo: 'Correct the file at the line or byte that the message names and upload it again.',
  },
  DATASET_UNUSABLE: {
    meaning: 'The dataset version must not be used for training.',
    retry: 'no',
    status: 422,
    whatToDo: 'Use the version that the message names, or make a new one without the problems in its report.',
  },
  ADAPTER_INVALID: {
    meaning: 'The files of an adapter are damaged, or describe an adapter that this model can’t take.',
    retry: 'no',
    status: 422,
    whatToDo: 'Read the message: it names what is wrong. Export the adapter again from where it was trained.',
  },
  ADAPTER_TOO_LARGE: {
    meaning: 'A file of an adapter is larger than any that is read.',
    retry: 'no',
    status: 413,
    whatToDo: 'Export the adapter alone, without whole layers of its model, or with a smaller rank.',
  },
  ADAPTER_ARCHIVE_UNSAFE: {
    meaning:
      'The archive of an adapter has an entry that points out of it, a link, an encrypted or a doubled entry; nothing of it was written.',
    retry: 'no',
    status: 422,
    whatToDo: 'Pack the folder that `save_pretrained` wrote again, with nothing else in it.',
  },
  ADAPTER_DAMAGED: {
    meaning: 'The safetensors file or the archive of an adapter is cut short or damaged, or tells what isn’t so.',
    retry: 'no',
    status: 422,
    whatToDo: 'Upload it again and compare its SHA-256; if that is right, save it again where it was trained.',
  },
  ADAPTER_PICKLED: {
    meaning: 'The weights of an adapter are a Python pickle, which may run code when it is opened; it never is.',
    retry: 'no',
    status: 422,
    whatToDo: 'Save them as `adapter_model.safetensors` (`save_pretrained(…, safe_serialization=True)`).',
  },
  ADAPTER_KIND_UNSUPPORTED: {
    meaning: 'The adapter is no plain LoRA: its configuration has something that would change its sum.',
    retry: 'no',
    status: 422,
    whatToDo: 'Read the message: it names the setting. Train it again without, or merge it into its model.',
  },
  ADAPTER_TARGET_UNSUPPORTED: {
    meaning:
      'The adapter changes a layer other than the seven linear ones of each block, or only one half of a change is there.',
    retry: 'no',
    status: 422,
    whatToDo: 'Train it on `q_proj`, `k_proj`, `v_proj`, `o_proj`, `gate_proj`, `up_proj` and `down_proj` only.',
  },
  ADAPTER_RANK_MISMATCH: {
    meaning: 'A matrix of the adapter has another rank than its configuration says.',
    retry: 'no',
    status: 422,
    whatToDo: 'Use the configuration that was saved with the weights.',
  },
  ADAPTER_SHAPE_MISMATCH: {
    meaning: 'A matrix of the adapter doesn’t fit the layer of the model that it changes.',
    retry: 'no',
    status: 422,
    whatToDo: 'Name the model that it was trained on.',
  },
  ADAPTER_NOT_FINITE: {
    meaning:
      'A weight of the adapter is infinite or not a number, or its weights come to more than a model can be computed with.',
    retry: 'no',
    status: 422,
    whatToDo: 'Its training diverged: use an earlier checkpoint, or train it again with a smaller learning rate.',
  },
  ADAPTER_UNPROVEN: {
    meaning: 'The adapter was not shown to act where it is served as it does where it was trained.',
    retry: 'no',
    status: 409,
    whatToDo:
      'Read the message: it says which measurement failed. Train or import the adapter again; it answers nothing meanwhile.',
  },
  GATE_REFUSED: {
    meaning: 'The adapter version doesn’t pass the gate: a figure is outside its bound, or was not measured.',
    retry: 'no',
    status: 409,
    whatToDo:
      'Read the message: it names each number that failed and its bound, and says when a test set is too small to tell.',
  },
  CHECKPOINT_INVALID: {
    meaning: 'The checkpoint of a training run is missing, damaged or changed since it was written.',
    retry: 'no',
    status: 409,
    whatToDo: 'Start a new run; an earlier checkpoint of this one may be whole.',
  },
  TRAINING_DIVERGED: {
    meaning: 'The loss of a training run was not a number or kept growing, so the run was stopped.',
    retry: 'no',
    status: 422,
    whatToDo: 'Look at the rows that the message names, and try a smaller learning rate. The last checkpoint is kept.',
  },
});

export type ErrorCode = keyof typeof ERROR_CODES;
