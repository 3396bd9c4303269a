import { Worker } from 'node:worker_threads';
import { GraftError } from '../../../kernel/errors.js';
import { OUT_OF_MEMORY, workOn } from '../../../task-process/index.js';
import type { ParseReply, ParseTask } from './parse-protocol.js';

/**
 * The parsing process: documents are untrusted, and the parsers' own bugs must not reach the gateway's memory, time or
 * credentials. A thread parses; this one stays responsive and ends the process when the gateway is gone (even while the
 * thread hangs) or when memory outside the JavaScript heap exceeds its limit. The gateway keeps the time.
 */
const HEAP_MB = 512;
const RSS_MB = 1536;

const thread = new Worker(new URL('./parse-thread.js', import.meta.url), {
  resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: 4 },
  stdout: true,
  stderr: true,
});
thread.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? OUT_OF_MEMORY : 1),
);
thread.on('exit', () => process.exit(1));

workOn<ParseTask>(
  async (request) => {
    const replied = new Promise<ParseReply>((resolve) => thread.once('message', resolve));
    thread.postMessage(request);
    const reply = await replied;
    if (!reply.ok) throw new GraftError(reply.code, reply.message, { hint: reply.hint });
    return { document: reply.document, chunks: reply.chunks };
  },
  { rssMb: RSS_MB },
);
