import type { CallOptions, WorkerClient } from './worker-client.js';

type Asked = Pick<WorkerClient, 'status' | 'embed' | 'generate' | 'scoreNext' | 'countTokens'>;

/** The same worker for work that nobody waits for: its calls stand behind those of people. */
export const inBulk = (worker: Asked): Asked => {
  const behind = (options?: CallOptions): CallOptions => ({ ...options, priority: 'bulk' });
  return {
    get status() {
      return worker.status;
    },
    embed: (request, options) => worker.embed(request, behind(options)),
    generate: (request, options) => worker.generate(request, behind(options)),
    scoreNext: (request, options) => worker.scoreNext(request, behind(options)),
    countTokens: (request, options) => worker.countTokens(request, behind(options)),
  };
};
