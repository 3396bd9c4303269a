import { GraftError } from '../src/kernel/errors.js';
import type { Priority } from '../src/worker-protocol/index.js';

/** How many requests may wait in all lanes together. */
export class QueueBudget {
  waiting = 0;
  constructor(readonly limit: number) {}
}

export interface Job {
  priority: Priority;
  /** Jobs of different groups never run together: two models would fight for the same cores, and two adapters for one context. */
  group?: string;
  /** Slots it takes. */
  weight?: number;
  /** Aborted while it waits, a job leaves the queue with the signal's reason. */
  signal?: AbortSignal;
}

interface Entry extends Required<Pick<Job, 'priority' | 'group' | 'weight'>> {
  start: () => void;
  /** How often one of a later arrival has started before it. */
  passed: number;
}

/** So many jobs of the running group may start before an earlier one of another group: changing groups empties slots. */
const PATIENCE = 4;

/**
 * Runs jobs in a fixed number of slots: interactive ones first, in order of arrival, then bulk ones, of which so few may
 * run at once that an interactive job finds a slot. A job that can't start yet holds back all that come after it, so nothing is
 * overtaken for ever; only jobs of the group that is running may pass one of another group, a few times.
 */
export class Lane {
  private readonly queue: Record<Priority, Entry[]> = { interactive: [], bulk: [] };
  private readonly running = new Set<Entry>();

  constructor(
    private readonly slots: number,
    private readonly bulkSlots = slots,
    private readonly budget: QueueBudget = new QueueBudget(Infinity),
  ) {}

  get active(): number {
    return this.running.size;
  }

  isRunning(priority: Priority): boolean {
    return [...this.running].some((entry) => entry.priority === priority);
  }

  /** @throws OVERLOADED at once when the job can't start and the queue is full; the signal's reason when it is aborted while waiting */
  run<T>(job: Job, work: () => Promise<T>): Promise<T> {
    const { signal } = job;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise<T>((resolve, reject) => {
      const entry: Entry = {
        priority: job.priority,
        group: job.group ?? '',
        weight: Math.min(job.weight ?? 1, this.slots),
        passed: 0,
        start: () => {
          signal?.removeEventListener('abort', leave);
          this.running.add(entry);
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
    let used = 0;
    let usedByBulk = 0;
    for (const other of this.running) {
      if (other.group !== entry.group) return false;
      used += other.weight;
      if (other.priority === 'bulk') usedByBulk += other.weight;
    }
    if (used + entry.weight > this.slots) return false;
    return entry.priority === 'interactive' || usedByBulk === 0 || usedByBulk + entry.weight <= this.bulkSlots;
  }

  /** Whether one that arrives now may start before all that wait. */
  private mayStart(entry: Entry): boolean {
    if (!this.hasRoomFor(entry)) return false;
    const before = entry.priority === 'bulk' ? [...this.queue.interactive, ...this.queue.bulk] : this.queue.interactive;
    return this.pass(before, entry);
  }

  /** Lets a job pass those that wait for its group to end, if none of them has been passed too often. */
  private pass(before: readonly Entry[], entry: Entry): boolean {
    const willing = before.every(
      (other) => other.priority === entry.priority && other.group !== entry.group && other.passed < PATIENCE,
    );
    if (willing) for (const other of before) other.passed += 1;
    return willing;
  }

  private pump(): void {
    for (const priority of ['interactive', 'bulk'] as const) {
      const queue = this.queue[priority];
      for (let at = 0; at < queue.length;) {
        const entry = queue[at]!;
        if (this.hasRoomFor(entry) && this.pass(queue.slice(0, at), entry)) {
          queue.splice(at, 1);
          this.budget.waiting -= 1;
          entry.start();
        } else at += 1;
      }
      if (queue.length > 0) return;
    }
  }
}
