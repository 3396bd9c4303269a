/** A gateway's runner in a process of its own, so that tests can really kill or freeze it. Prints one JSON line an event. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/kernel/clock.js';
import { openDatabase } from '../../../src/platform/database/index.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { RunQueue } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

const [url, mode, owner, leaseMs] = process.argv.slice(2) as [string, 'hang' | 'die' | 'write', string, string];
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const database = await openDatabase(url);
const log = silentLogger();
const events = new EventLog({ database, log });
const queue = new RunQueue({ database, events, clock: systemClock, log, owner, leaseMs: Number(leaseMs), pollMs: 50 });
queue.handle('INGESTION', async (context) => {
  await context.progress(0.5, 'half way');
  tell({ at: 'working', attempt: context.run.attempt });
  if (mode === 'die') process.kill(process.pid, 'SIGKILL');
  // The test freezes this process here; when it thaws, the run belongs to another.
  if (mode === 'write') await sleep(300);
  else await new Promise(() => undefined);
  const aborted = context.signal.aborted;
  const code = await context
    .fenced((tx) => tx.workspace.create({ data: { id: context.run.subjectId!, name: 'written by a stale runner' } }))
    .then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
  tell({ at: 'wrote', code, aborted, abortedAfter: context.signal.aborted });
});
queue.start();
tell({ at: 'started' });
