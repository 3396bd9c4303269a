import { GraftError } from '../src/kernel/errors.js';
import type { CallTrace } from './call-trace.js';
import type { Priority } from '../src/worker-protocol/index.js';

/** How many requests may wait in all lanes together. */
export class QueueBudget {
  waiting = 0;
  constructor(readonly limit: number) {}
}

interface Job {
  priority: Priority;
  /** What has slots of its own: a model. */
  group?: string;
  /** Slots it takes. */
  weight?: number;
  /** Slow jobs of a group share with bulk the slots that it has for them. */
  slow?: boolean;
  /** Aborted while it waits, a job leaves the queue with the signal's reason. */
  signal?: AbortSignal;
  /** Is told how long it waited. */
  trace?: CallTrace;
}

interface Entry extends Required<Pick<Job, 'priority' | 'group' | 'weight' | 'slow'>> {
  start: () => void;
  /** How often one of a later arrival has started before it. */
  passed: number;
}

/** So many jobs of running groups may start before an earlier one of a group that has to wait for one of them to end. */
const PATIENCE = 4;

/**
 * Runs jobs in a fixed number of slots a group: interactive ones first, in order of arrival, then bulk ones. So few bulk and slow ones
 * may run at once that a quick interactive one finds a slot. A job that can't start yet holds back all that come after it and want the
 * same, so nothing is overtaken for ever. Where no more groups may run, jobs of those that do pass one of another a few times.
 */
export class Lane {
  private readonly queue: Record<Priority, Entry[]> = { interactive: [], bulk: [] };
  private readonly running = new Set<Entry>();

  constructor(
    private readonly slots: number,
    private readonly bulkSlots = slots,
    private readonly budget: QueueBudget = new QueueBudget(Infinity),
    /** Groups that may run at once. */
    private readonly groups = Infinity,
  ) {}

  get active(): number {
    return this.running.size;
  }

  isRunning(priority: Priority): boolean {
    return [...this.running].some((entry) => entry.priority === priority);
  }

  /** @throws OVERLOADED at once when the job can't start and the queue is full; the signal's reason when it is aborted while waiting */
  run<T>(job: Job, work: () => Promise<T>): Promise<T> {
    const { signal, trace } = job;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const enteredAt = performance.now();
    return new Promise<T>((resolve, reject) => {
      const entry: Entry = {
        priority: job.priority,
        group: job.group ?? '',
        weight: Math.min(job.weight ?? 1, this.slots),
        slow: job.slow === true || job.priority === 'bulk',
        passed: 0,
        start: () => {
          signal?.removeEventListener('abort', leave);
          this.running.add(entry);
          trace?.add('wait', enteredAt, performance.now());
          void work()
            .then(resolve, reject)
            .finally(() => {
              this.running.delete(entry);
              this.pump();
            });
        },
      };
      const leave = (): void => {
        const queue = this.queue[job.priority];
        const index = queue.indexOf(entry);
        if (index < 0) return;
        queue.splice(index, 1);
        this.budget.waiting -= 1;
        reject(signal?.reason as Error);
        this.pump();
      };
      if (this.mayStart(entry)) return entry.start();
      if (this.budget.waiting >= this.budget.limit)
        return reject(new GraftError('OVERLOADED', `The worker’s queue is full (${this.budget.limit} waiting).`));
      this.budget.waiting += 1;
      this.queue[job.priority].push(entry);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  private hasRoomFor(entry: Entry): boolean {
    if (!this.isOpen(entry.group)) return false;
    let used = 0;
    let usedBySlow = 0;
    for (const runningEntry of this.running) {
      if (runningEntry.group !== entry.group) continue;
      used += runningEntry.weight;
      if (runningEntry.slow) usedBySlow += runningEntry.weight;
    }
    if (used + entry.weight > this.slots) return false;
    return !entry.slow || usedBySlow === 0 || usedBySlow + entry.weight <= this.bulkSlots;
  }

  /** Whether a group runs or may begin to. */
  private isOpen(group: string): boolean {
    const running = new Set([...this.running].map((entry) => entry.group));
    return running.has(group) || running.size < this.groups;
  }

  /** Whether one that arrives now may start before all that wait. */
  private mayStart(entry: Entry): boolean {
    if (!this.hasRoomFor(entry)) return false;
    const earlier =
      entry.priority === 'bulk' ? [...this.queue.interactive, ...this.queue.bulk] : this.queue.interactive;
    return this.pass(earlier, entry);
  }

  /** Lets a job pass those that wait for something that it doesn't take from them, or that have not been passed too often. */
  private pass(earlier: readonly Entry[], entry: Entry): boolean {
    const blocked = earlier.filter((candidate) => !this.isOpen(candidate.group));
    const willing =
      earlier.every((candidate) => candidate.priority === entry.priority) &&
      earlier.every((candidate) => candidate.group !== entry.group || (candidate.slow && !entry.slow)) &&
      blocked.every((candidate) => candidate.passed < PATIENCE);
    if (willing) for (const candidate of blocked) candidate.passed += 1;
    return willing;
  }

  private pump(): void {
    for (const priority of ['interactive', 'bulk'] as const) {
      const queue = this.queue[priority];
      for (let index = 0; index < queue.length;) {
        const entry = queue[index]!;
        if (this.hasRoomFor(entry) && this.pass(queue.slice(0, index), entry)) {
          queue.splice(index, 1);
          this.budget.waiting -= 1;
          entry.start();
        } else index += 1;
      }
      if (queue.length > 0) return;
    }
  }
}
