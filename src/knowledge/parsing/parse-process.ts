import { Worker } from 'node:worker_threads';
import { OUT_OF_MEMORY, type ParseReply, type ParseRequest } from './parse-protocol.js';

/**
 * The parsing process: documents are untrusted, and the parsers' own bugs must not reach the gateway's memory, time or
 * credentials. A thread parses; this one stays responsive and ends the process when the gateway is gone (even while the
 * thread hangs) or when memory outside the JavaScript heap exceeds its limit. The gateway keeps the time.
 */
const HEAP_MIB = 512;
const RSS_LIMIT_BYTES = 1536 * 1024 * 1024;
const WATCH_MS = 100;

if (process.send !== undefined) serve(process.send.bind(process));

function serve(send: (message: unknown) => boolean): void {
  const thread = new Worker(new URL('./parse-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, stackSizeMb: 4 },
    stdout: true,
    stderr: true,
  });
  thread.on('message', (reply: ParseReply) => send(reply));
  thread.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? OUT_OF_MEMORY : 1),
  );
  thread.on('exit', () => process.exit(1));
  process.on('message', (request: ParseRequest) => thread.postMessage(request));
  process.on('disconnect', () => process.exit(0));
  setInterval(() => {
    if (process.memoryUsage.rss() > RSS_LIMIT_BYTES) process.exit(OUT_OF_MEMORY);
  }, WATCH_MS);
}
