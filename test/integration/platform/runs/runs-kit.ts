import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { systemClock } from '../../../../src/kernel/clock.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../../src/kernel/ids.js';
import type { Json } from '../../../../src/kernel/stored-json.js';
import { EventLog, type StoredEvent } from '../../../../src/platform/events/index.js';
import { RunQueue, runStream, type ContextOf, type RunQueueOptions } from '../../../../src/platform/runs/index.js';
import type { NewRun, RunRow } from '../../../../src/platform/runs/index.js';
import { silentLogger } from '../../../../src/platform/telemetry/index.js';
import { testDatabase, type TestDatabase } from '../../../support/database.js';
import { eventually } from '../../../support/eventually.js';
import { testKind, type TestKindOptions } from './test-kind.js';

export const WORKSPACE = DEFAULT_WORKSPACE_ID;
export const LEASE_MS = 600;
const CHILD = new URL('run-child.js', import.meta.url).pathname;

export type TestContext = ContextOf<ReturnType<typeof testKind>>;
export type Work = (context: TestContext) => Promise<Json | void>;

/** A queue whose runs of one kind do what the test says. */
export class TestQueue extends RunQueue {
  constructor(
    options: RunQueueOptions,
    readonly kind: ReturnType<typeof testKind>,
  ) {
    super(options);
  }

  ask(run: NewRun<Json>): Promise<RunRow> {
    return this.enqueue(this.kind, run);
  }
}

/** A database of its own, queues on it, and runners in other processes. */
export class RunsKit {
  readonly #queues: RunQueue[] = [];
  readonly #children: ChildProcess[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly events: EventLog,
  ) {}

  static async start(): Promise<RunsKit> {
    const database = await testDatabase();
    return new RunsKit(database, new EventLog({ database, log: silentLogger() }));
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#queues.map((queue) => queue.stop(500)));
    await this.events.close();
    await this.database.dispose();
  }

  queue(work: Work, options: Partial<RunQueueOptions> = {}, kindOptions: TestKindOptions = {}): TestQueue {
    const kind = testKind(kindOptions);
    const handled = kind.handledBy(async (_parts: null, context) => (await work(context)) ?? null);
    const queue = new TestQueue(
      {
        database: this.database,
        events: this.events,
        clock: systemClock,
        log: silentLogger(),
        owner: newId(),
        leaseMs: LEASE_MS,
        pollMs: 50,
        retryMs: 50,
        kinds: [handled],
        ...options,
      },
      kind,
    );
    queue.handle([handled], null);
    this.#queues.push(queue);
    return queue;
  }

  startAll(): void {
    for (const queue of this.#queues) queue.start();
  }

  row(run: RunRow): Promise<RunRow> {
    return this.database.prisma.run.findFirstOrThrow({ where: { id: run.id } });
  }

  /** @throws Error that says what has become of it instead */
  async reaches(run: RunRow, status: string): Promise<RunRow> {
    let now = run;
    const looked = eventually(`the run to be ${status}`, async () => {
      now = await this.row(run);
      return now.status === status ? now : null;
    });
    return looked.catch((error: unknown) => {
      const { status, attempt, progress, message, errorCode, errorMessage, leaseOwner } = now;
      const found = JSON.stringify({ status, attempt, progress, message, errorCode, errorMessage, leaseOwner });
      throw new Error(`${(error as Error).message}; it is ${found}`, { cause: error });
    });
  }

  eventsOf(run: RunRow): Promise<StoredEvent[]> {
    return this.database.prisma.event.findMany({
      where: { stream: runStream(run.id) },
      orderBy: { sequence: 'asc' },
    });
  }

  /** A runner in another process, of which `run-child.ts` tells. */
  child(
    mode: 'hang' | 'die' | 'die further' | 'write',
    { owner, leaseMs = LEASE_MS }: { owner?: string; leaseMs?: number } = {},
  ) {
    const child = spawn(process.execPath, [CHILD, this.database.url, mode, owner ?? newId(), String(leaseMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    const lines: Record<string, unknown>[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as never));
    const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
    return {
      lines,
      ended,
      kill: (signal: NodeJS.Signals) => child.kill(signal),
      says: (at: string) => eventually(`the child to be ${at}`, () => lines.find((line) => line['at'] === at)),
    };
  }
}

export const newRun = (over: Partial<NewRun<Json>> = {}): NewRun<Json> => ({
  workspaceId: WORKSPACE,
  input: { documents: 3 },
  idempotencyKey: newId(),
  ...over,
});

/** Work that lets go when it is told to, and not before. */
export const untilAborted: Work = ({ signal }) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
