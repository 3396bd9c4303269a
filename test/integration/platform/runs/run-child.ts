/** A gateway's runner in a process of its own, so that tests can really kill or freeze it. Prints one JSON line an event. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../../src/kernel/clock.js';
import { openDatabase } from '../../../../src/platform/database/index.js';
import { EventLog } from '../../../../src/platform/events/index.js';
import { RunQueue } from '../../../../src/platform/runs/index.js';
import { silentLogger } from '../../../../src/platform/telemetry/index.js';
import { testKind } from './test-kind.js';

type Mode = 'hang' | 'die' | 'die further' | 'write';
const [url, mode, owner, leaseMs] = process.argv.slice(2) as [string, Mode, string, string];
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const database = await openDatabase(url, { unsaid: 'system' });
const log = silentLogger();
const events = new EventLog({ database, log });
const kind = testKind({ attempts: 3, pausable: true }).handledBy(async (_parts: null, context) => {
  const { run, resumed, signal } = context;
  if (mode === 'die further') await context.checkpoint({ step: (resumed?.step ?? 0) + 1 });
  else await context.progress(0.5, 'half way');
  tell({ at: 'working', attempt: run.attempt });
  if (mode.startsWith('die')) process.kill(process.pid, 'SIGKILL');
  // The test freezes this process here; when it thaws, the run belongs to another.
  if (mode === 'write') await sleep(300);
  else await new Promise(() => undefined);
  const aborted = signal.aborted;
  const code = await context
    .fenced((tx) => tx.workspace.create({ data: { id: run.subjectId!, name: 'written by a stale runner' } }))
    .then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
  tell({ at: 'wrote', code, aborted, abortedAfter: signal.aborted });
  return null;
});
const parts = { database, events, clock: systemClock, log, owner, leaseMs: Number(leaseMs), pollMs: 50 };
const queue = new RunQueue({ ...parts, kinds: [kind] });
queue.handle([kind], null);
queue.start();
tell({ at: 'started' });
