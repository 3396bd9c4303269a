import { GraftError } from '../src/kernel/errors.js';
import type { Priority } from '../src/worker-protocol/index.js';

/** How many requests may wait in all lanes together. */
export class QueueBudget {
  waiting = 0;
  constructor(readonly limit: number) {}
}

export interface Job {
  priority: Priority;
  /** Jobs of different groups never run together: two models would fight for the same cores. */
  group?: string;
  /** Slots it takes. */
  weight?: number;
  /** Aborted while it waits, a job leaves the queue with the signal's reason. */
  signal?: AbortSignal;
}

interface Entry extends Required<Pick<Job, 'priority' | 'group' | 'weight'>> {
  start: () => void;
}

/**
 * Runs jobs in a fixed number of slots: interactive ones first, in order of arrival, then bulk ones, of which so few may
 * run at once that an interactive job finds a slot. A job that can't start yet holds back all that come after it, so
 * nothing is overtaken for ever.
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
      const mustWait =
        this.queue.interactive.length > 0 ||
        (job.priority === 'bulk' && this.queue.bulk.length > 0) ||
        !this.hasRoomFor(entry);
      if (!mustWait) return entry.start();
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

  private pump(): void {
    for (const priority of ['interactive', 'bulk'] as const) {
      const queue = this.queue[priority];
      for (let head = queue[0]; head !== undefined; head = queue[0]) {
        if (!this.hasRoomFor(head)) return;
        queue.shift();
        this.budget.waiting -= 1;
        head.start();
      }
    }
  }
}
