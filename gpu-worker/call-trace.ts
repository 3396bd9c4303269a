import { MOST_WORKER_SPANS, type WorkerSpan } from '../src/worker-protocol/index.js';

type Attributes = NonNullable<WorkerSpan['attributes']>;

/** A call that takes turns with others switches adapters all the time: what else it did must find room, too. */
const MOST_OF_A_NAME = 20;

/** What one call took its time for, where the gateway wants to know; it goes back with the call's last message. */
export class CallTrace {
  readonly spans: WorkerSpan[] = [];
  /** More than are kept. */
  dropped = 0;
  private readonly received = performance.now();

  /** Milliseconds since the request was received. */
  get age(): number {
    return performance.now() - this.received;
  }

  /** @param from, to by `performance.now()` */
  add(name: string, from: number, to: number, attributes?: Attributes): void {
    const nameCount = this.spans.filter((span) => span.name === name).length;
    if (nameCount >= MOST_OF_A_NAME || this.spans.length >= MOST_WORKER_SPANS) {
      this.dropped += 1;
      return;
    }
    const start = Math.max(0, from - this.received);
    this.spans.push({ name, at: start, ms: Math.max(0, to - from), ...(attributes && { attributes }) });
  }
}

/** Work with how long it took, where anybody wants to know. */
export async function timed<T>(trace: CallTrace | undefined, name: string, work: () => Promise<T>): Promise<T> {
  if (trace === undefined) return work();
  const from = performance.now();
  try {
    return await work();
  } finally {
    trace.add(name, from, performance.now());
  }
}
