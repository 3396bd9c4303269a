import { GraftError } from '../../kernel/errors.js';

const TEXT_ONLY = 'Graft reads and writes text: send it to /v1/responses or /v1/chat/completions.';
const CONVERSATIONS = 'Ask /v1/responses, and go on with previous_response_id.';

/** What stands for OpenAI's addresses that aren't here, by the word behind `/v1/`. */
const INSTEAD: Readonly<Record<string, string>> = {
  completions: 'Send messages to /v1/chat/completions.',
  moderations: 'Train an adapter on texts with your own labels, and ask it at /v1/chat/completions by its name.',
  audio: TEXT_ONLY,
  images: TEXT_ONLY,
  videos: TEXT_ONLY,
  realtime: 'Answers are streamed by /v1/responses and /v1/chat/completions.',
  assistants: CONVERSATIONS,
  threads: CONVERSATIONS,
  conversations: CONVERSATIONS,
  evals: 'Evaluate over GraphQL: `npx graft call Evaluate`.',
  containers: 'No code is run here: /v1/responses has file_search alone.',
};

/** @throws NOT_FOUND that says what there is */
export function refuseByName(method: string, address: string): never {
  const [, , name = ''] = address.split('/');
  throw new GraftError('NOT_FOUND', `There is no ${method} ${address} here.`, {
    hint:
      (Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined) ??
      'There are /v1/responses, /v1/chat/completions, /v1/embeddings, /v1/rerank, /v1/models, /v1/files, /v1/uploads, /v1/batches, /v1/vector_stores and /v1/fine_tuning/jobs.',
  });
}
