import type { Priority } from '../src/worker-protocol/index.js';

/** Who holds the cores keeps them for so long, if nobody quicker comes: changing adapters and models for each token would be waste. */
const QUANTUM_MS = 250;
/**
 * Who has waited for so long gets one quantum before all others, so that nothing stands still; but for so many times as long as its
 * last one took, because a slice may take more than a quantum.
 */
const PATIENCE_MS = 2_000;
const PATIENCE_TIMES = 8;
/** An answer asks several times in a row. After one quick call ended, what is slow waits so long for the next. */
const EXPECTED_MS = 150;
/** What has worked for so long counts as slow from then on. */
const SLOW_AFTER_MS = 8_000;

export interface Party {
  priority: Priority;
  /** What may be decoded together: one model, under one set of adapters. */
  group: string;
  /** Whether it will take long to read. */
  slow?: boolean;
  /** Aborted while it waits, its next batch is never started. */
  signal?: AbortSignal;
}

export interface TurnClock {
  /** Milliseconds. */
  now(): number;
  /** @returns a function that prevents it */
  later(ms: number, then: () => void): () => void;
}

const REAL: TurnClock = {
  now: () => performance.now(),
  later: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

interface Waiting {
  turn: Turn;
  together: boolean;
  start: () => Promise<void>;
}

/** What one call does with the cores, one batch after another. */
export class Turn {
  servedMs = 0;
  /** When it joined or last had the cores. */
  since: number;
  /** How long it had them then. */
  lastMs = 0;

  constructor(
    readonly party: Party,
    private readonly turns: Turns,
    now: number,
  ) {
    this.since = now;
  }

  /** 0 is quick, 1 slow, 2 what nobody waits for. */
  get level(): number {
    if (this.party.priority === 'bulk') return 2;
    return this.party.slow === true || this.servedMs > SLOW_AFTER_MS ? 1 : 0;
  }

  /** When it gets a quantum whatever its level. */
  get dueAt(): number {
    return this.since + Math.max(PATIENCE_MS, PATIENCE_TIMES * this.lastMs);
  }

  /** Runs one batch when its turn comes, and no other meanwhile. @throws the signal's reason when it is aborted before */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.turns.take(this, work, false);
  }

  /** The same for one token, which may share its batch with tokens of others under the same adapters. */
  together<T>(work: () => Promise<T>): Promise<T> {
    return this.turns.take(this, work, true);
  }
}

/**
 * Hands out the cores, one batch after another, among calls under way: contexts and adapters take turns, and a long prompt is read in
 * slices between which others go on. Quick before slow, slow before bulk, and of equals the one that had least (least attained service,
 * Nuyens and Wierman 2008), a quantum each. Who has waited for long gets a quantum in any case. Between two calls of one quick answer
 * the cores stay idle for a moment (anticipatory scheduling, Iyer and Druschel 2001), else each would wait for a slice of something slow.
 */
export class Turns {
  private readonly waiting = new Set<Waiting>();
  private running = 0;
  private scheduled = false;
  private holder: Turn | undefined;
  private holdsUntil = -Infinity;
  /** It holds the cores because it had waited, whatever its level. */
  private indulged = false;
  private expectedUntil = -Infinity;
  /** Of `beside`, under way. */
  private others = 0;
  private endWait: (() => void) | undefined;

  constructor(private readonly clock: TurnClock = REAL) {}

  join(party: Party): Turn {
    return new Turn(party, this, this.clock.now());
  }

  /** Work of a quick answer that isn't decoded: what is slow begins no batch meanwhile, nor shortly after it. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    this.others += 1;
    try {
      return await work();
    } finally {
      this.others -= 1;
      this.expectMore();
    }
  }

  private expectMore(): void {
    this.expectedUntil = this.clock.now() + EXPECTED_MS;
    // Who waits for that waits anew.
    if (this.others === 0 && this.running === 0) this.schedule();
  }

  take<T>(turn: Turn, work: () => Promise<T>, isBatched: boolean): Promise<T> {
    const { signal } = turn.party;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise<T>((resolve, reject) => {
      const start = (): Promise<void> => {
        signal?.removeEventListener('abort', leave);
        return work().then(resolve, reject);
      };
      const entry: Waiting = { turn, together: isBatched, start };
      const leave = (): void => {
        this.waiting.delete(entry);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.add(entry);
      this.schedule();
    });
  }

  /** Chooses after those whose batch has just ended had the time to ask for their next. */
  private schedule(): void {
    if (this.running > 0 || this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    this.endWait?.();
    this.endWait = undefined;
    if (this.running > 0 || this.waiting.size === 0) return;
    const began = this.clock.now();
    const nextEntry = this.choose(began);
    if (nextEntry === null) {
      const wait = this.others > 0 ? EXPECTED_MS : this.expectedUntil - began;
      this.endWait = this.clock.later(wait, () => this.pump());
      return;
    }
    const batch = [...this.waiting].filter((entry) => entry === nextEntry || sharesBatch(entry, nextEntry));
    for (const entry of batch) this.waiting.delete(entry);
    this.running = batch.length;
    void Promise.all(batch.map(({ start }) => start())).then(() => {
      const endedAt = this.clock.now();
      for (const { turn } of batch) {
        turn.servedMs += (endedAt - began) / batch.length;
        turn.since = endedAt;
        turn.lastMs = endedAt - began;
        if (turn.level === 0) this.expectedUntil = endedAt + EXPECTED_MS;
      }
      this.running = 0;
      this.schedule();
    });
  }

  /** null: nobody quick is there, but one is expected. */
  private choose(now: number): Waiting | null {
    const entries = [...this.waiting];
    const best = entries.reduce((a, b) => (comesBefore(b.turn, a.turn) ? b : a));
    const holderEntry = entries.find(({ turn }) => turn === this.holder);
    if (holderEntry && now < this.holdsUntil && (this.indulged || holderEntry.turn.level <= best.turn.level))
      return holderEntry;
    const patient = entries.reduce((a, b) => (b.turn.dueAt < a.turn.dueAt ? b : a));
    this.indulged = now >= patient.turn.dueAt;
    const expected = this.others > 0 || now < this.expectedUntil;
    if (!this.indulged && best.turn.level > 0 && expected) return null;
    const entry = this.indulged ? patient : best;
    this.holder = entry.turn;
    this.holdsUntil = now + QUANTUM_MS;
    return entry;
  }
}

const comesBefore = (a: Turn, b: Turn): boolean =>
  a.level !== b.level ? a.level < b.level : a.servedMs !== b.servedMs ? a.servedMs < b.servedMs : a.since < b.since;

const sharesBatch = (entry: Waiting, leader: Waiting): boolean =>
  entry.together && leader.together && entry.turn.party.group === leader.turn.party.group;
