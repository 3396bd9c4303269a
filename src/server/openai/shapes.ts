/** What is answered below `/v1`, as `/v1/openapi.json` describes it: the fields that clients read, beside which others may stand. */
import { z } from 'zod';

const id = z.string();
const seconds = z.int();
const count = z.int().min(0);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const notes = z.record(z.string(), z.string());

/** An error as OpenAI's clients read it. */
export const errorShape = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

/** A page of these. */
export const pageShape = <Item extends z.ZodType>(item: Item) =>
  z.looseObject({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    first_id: id.nullable(),
    last_id: id.nullable(),
  });

/** What is said of a thing that was deleted. */
export const deletedShape = <Name extends string>(object: Name) =>
  z.looseObject({ id, object: z.literal(object), deleted: z.literal(true) });

export const modelShape = z.object({
  id,
  object: z.literal('model'),
  /** Seconds since 1970. */
  created: seconds,
  owned_by: z.string(),
});
export const modelsShape = z.looseObject({ object: z.literal('list'), data: z.array(modelShape) });

/** What Graft says of an answer. */
const graft = z.looseObject({
  question: z.string(),
  strategy: z.string(),
  reasons: z.array(z.string()),
  confidence: z.number().nullable(),
  abstained: z.boolean(),
  ignored: z.array(z.string()),
});

export const completionShape = z.looseObject({
  id,
  object: z.literal('chat.completion'),
  created: seconds,
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: count,
      message: z.looseObject({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.string().nullable(),
        annotations: z.array(z.looseObject({ type: z.literal('url_citation') })),
        tool_calls: z
          .array(
            z.looseObject({
              id,
              type: z.literal('function'),
              function: z.object({ name: z.string(), arguments: z.string() }),
            }),
          )
          .optional(),
      }),
      finish_reason: z.enum(['stop', 'length', 'tool_calls']),
    }),
  ),
  usage: z.looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count }),
  graft,
});

export const embeddingsShape = z.looseObject({
  object: z.literal('list'),
  data: z.array(
    z.looseObject({
      object: z.literal('embedding'),
      index: count,
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: z.looseObject({ prompt_tokens: count, total_tokens: count }),
});

export const rerankShape = z.looseObject({
  object: z.literal('list'),
  model: z.string(),
  results: z.array(z.looseObject({ index: count, relevance_score: z.number() })),
});

export const fileShape = z.looseObject({
  id,
  object: z.literal('file'),
  bytes: count,
  created_at: seconds,
  filename: z.string(),
  purpose: z.string(),
});

export const uploadShape = z.looseObject({
  id,
  object: z.literal('upload'),
  bytes: count,
  created_at: seconds,
  expires_at: seconds,
  filename: z.string(),
  purpose: z.string(),
  status: z.enum(['pending', 'completed', 'cancelled', 'expired']),
  file: fileShape.nullable(),
});

export const partShape = z.looseObject({
  id,
  object: z.literal('upload.part'),
  created_at: seconds,
  upload_id: id,
});

export const batchShape = z.looseObject({
  id,
  object: z.literal('batch'),
  endpoint: z.string(),
  errors: z.looseObject({ data: z.array(z.looseObject({ code: z.string(), message: z.string() })) }).nullable(),
  input_file_id: id,
  completion_window: z.string(),
  status: z.enum([
    'validating',
    'in_progress',
    'finalizing',
    'completed',
    'failed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  output_file_id: id.nullable(),
  error_file_id: id.nullable(),
  created_at: seconds,
  expires_at: seconds,
  request_counts: z.object({ total: count, completed: count, failed: count }),
  metadata: notes.nullable(),
  graft: z.looseObject({ run: id }),
});

export const jobShape = z.looseObject({
  id,
  object: z.literal('fine_tuning.job'),
  created_at: seconds,
  finished_at: seconds.nullable(),
  model: z.string(),
  fine_tuned_model: z.string().nullable(),
  status: z.enum(['validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled']),
  training_file: z.string(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  graft: z.looseObject({ run: id, name: z.string(), model: z.string(), adapter: z.string().nullable() }),
});

export const jobEventShape = z.looseObject({
  id,
  object: z.literal('fine_tuning.job.event'),
  created_at: seconds,
  level: z.enum(['info', 'error']),
  message: z.string(),
});

export const checkpointShape = z.looseObject({
  id,
  object: z.literal('fine_tuning.job.checkpoint'),
  fine_tuned_model_checkpoint: z.string(),
  step_number: count,
});

const fileCounts = z.looseObject({
  in_progress: count,
  completed: count,
  failed: count,
  cancelled: count,
  total: count,
});
const status = z.enum(['in_progress', 'completed', 'failed', 'cancelled']);

export const storeShape = z.looseObject({
  id,
  object: z.literal('vector_store'),
  created_at: seconds,
  name: z.string(),
  metadata: notes,
  usage_bytes: count,
  file_counts: fileCounts,
  status: z.enum(['in_progress', 'completed']),
  graft: z.looseObject({ collection: z.string() }),
});

export const storeFileShape = z.looseObject({
  id,
  object: z.literal('vector_store.file'),
  created_at: seconds,
  vector_store_id: id,
  status,
  last_error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  attributes: z.record(z.string(), scalar),
});

const textParts = z.array(z.looseObject({ type: z.literal('text'), text: z.string() }));

export const contentShape = z.looseObject({
  object: z.literal('vector_store.file_content.page'),
  file_id: id,
  filename: z.string(),
  data: textParts,
});

export const fileBatchShape = z.looseObject({
  id,
  object: z.literal('vector_store.files_batch'),
  created_at: seconds,
  vector_store_id: id,
  status,
  file_counts: fileCounts,
});

export const hitsShape = z.looseObject({
  object: z.literal('vector_store.search_results.page'),
  search_query: z.array(z.string()),
  data: z.array(z.looseObject({ file_id: id, filename: z.string(), score: z.number(), content: textParts })),
});

export const responseShape = z.looseObject({
  id,
  object: z.literal('response'),
  created_at: seconds,
  model: z.string(),
  status: z.enum(['completed', 'incomplete']),
  output: z.array(z.looseObject({ id, type: z.enum(['message', 'file_search_call']) })),
  usage: z.looseObject({ input_tokens: count, output_tokens: count, total_tokens: count }),
  graft,
});

export const inputItemShape = z.looseObject({
  id,
  type: z.literal('message'),
  role: z.string(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string() })),
});
