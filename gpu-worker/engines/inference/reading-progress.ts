import type { Call } from '../../server.js';
import type { OnRead } from './lease.js';

const TELL_EVERY_MS = 1_000;

/** Tells now and then how far a prompt is read; each slice counts as getting further. */
export function readingProgress(call: Pick<Call, 'moved' | 'progress'>): OnRead {
  let reportedAt = performance.now();
  return (read, total) => {
    call.moved();
    if (performance.now() - reportedAt < TELL_EVERY_MS) return;
    reportedAt = performance.now();
    call.progress(read / total, `${read} of ${total} tokens read`);
  };
}
