/** Events pushed by one side and taken, one after the other, by one reader of the other side. */
export class EventQueue<T> implements AsyncIterable<T> {
  private readonly events: T[] = [];
  private ended: { error?: Error } | undefined;
  private wake: (() => void) | undefined;

  push(event: T): void {
    this.events.push(event);
    this.wake?.();
  }

  /** The reader gets what is queued, then the error if there is one. */
  end(error?: Error): void {
    this.ended ??= { error };
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.events.length > 0) yield this.events.shift() as T;
      if (this.ended !== undefined) {
        if (this.ended.error !== undefined) throw this.ended.error;
        return;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
