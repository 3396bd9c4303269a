/** A gateway's life: it ends for good at one of the calls that change something, just before it or just after. */
export class Life {
  #calls = 0;
  #ended = false;
  readonly #death = new AbortController();

  /**
   * @param changes names of methods that change something
   * @param call at which it ends, from 0 on; null: never
   * @param after whether the change is made all the same
   */
  constructor(
    private readonly changes: ReadonlySet<string>,
    private readonly call: number | null,
    private readonly after: boolean,
  ) {}

  get signal(): AbortSignal {
    return this.#death.signal;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** How many changes it has begun. */
  get calls(): number {
    return this.#calls;
  }

  /** The same object, and all that hangs on it, for as long as this lasts: afterwards every call fails. */
  of<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (on, name) => {
        const value = Reflect.get(on, name, on) as unknown;
        if (typeof value === 'function')
          return (...given: unknown[]) =>
            this.#do(String(name), () => (value as (...of: unknown[]) => unknown).apply(on, given));
        return typeof value === 'object' && value !== null ? this.of(value) : value;
      },
    });
  }

  #do(name: string, work: () => unknown): unknown {
    if (this.#ended) throw new Error('killed');
    if (!this.changes.has(name) || this.#calls++ !== this.call) return work();
    return this.#end(work);
  }

  async #end(work: () => unknown): Promise<never> {
    if (this.after) await work();
    this.#ended = true;
    this.#death.abort('killed');
    throw new Error('killed');
  }
}
