import type { Call } from '../../server.js';
import type { OnRead } from './lease.js';

const TELL_EVERY_MS = 1_000;

/** Tells now and then how far a prompt is read; each slice counts as getting further. */
export function readingProgress(call: Pick<Call, 'moved' | 'progress'>): OnRead {
  let told = performance.now();
  return (read, of) => {
    call.moved();
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    call.progress(read / of, `${read} of ${of} tokens read`);
  };
}
