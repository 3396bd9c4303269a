// Loaded into a program by `node --import`: appends to the file WATCH_TURNS how long a turn of the event loop of its main thread
// took, in ms of processor time, one a line, for turns of 10 ms and more (Linux).
import { appendFileSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const SHORT_MS = 10;
const file = process.env['WATCH_TURNS'];

if (file !== undefined && isMainThread) {
  // Not for the processes that it starts.
  delete process.env['WATCH_TURNS'];
  delete process.env['NODE_OPTIONS'];
  // Processor time of the thread in ns, counted at the scheduler's ticks and switches: exact to some ms.
  const usedMs = (): number =>
    Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  let before = usedMs();
  // Timers run once a turn, before anything else of it.
  setInterval(() => {
    const now = usedMs();
    if (now - before >= SHORT_MS) appendFileSync(file, `${(now - before).toFixed(1)}\n`);
    before = now;
  }, 1).unref();
}
