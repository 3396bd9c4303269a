import { type Kept } from './tokens';

/** What tabs of one sign-in tell each other. It stays in the browser, among pages of this origin. */
type Told = { is: 'asked' } | { is: 'has'; kept: Kept | null } | { is: 'ended'; problem: string } | { is: 'left' };

interface Tab {
  current: () => Kept | null;
  /** Another has these. */
  has: (kept: Kept) => void;
  /** The sign-in holds no more, for all of them. */
  ended: (problem: string) => void;
  /** In another somebody signed out. */
  left: () => void;
}

/** Longer than a tab takes that has to be woken, in ms. */
const ANSWER_MS = 2_000;

/**
 * The tabs that share a sign-in: a tab that is duplicated has a copy of what the first one keeps. A provider that rotates takes a refresh
 * token once, and ends the sign-in when it comes twice (RFC 9700, section 4.14.2). So tabs renew one after another, each after it has asked
 * the others for what is newer. Each holds a shared lock while it lives, by which they know how many are to answer; a browser freezes no tab that holds one.
 */
export class Peers {
  readonly #channel: BroadcastChannel;
  readonly #living: string;
  readonly #lives: Promise<void>;
  #heard: ((kept: Kept | null) => void) | null = null;
  #leave = (): void => undefined;

  constructor(
    readonly family: string,
    private readonly tab: Tab,
  ) {
    this.#living = `graft:tab:${family}`;
    this.#lives = new Promise((lives) => {
      const living = () => new Promise<void>((leave) => ((this.#leave = leave), lives()));
      void navigator.locks.request(this.#living, { mode: 'shared' }, living);
    });
    this.#channel = new BroadcastChannel(`graft:sign-in:${family}`);
    this.#channel.onmessage = ({ data }: MessageEvent<Told>) => this.#take(data);
  }

  tell(message: Told): void {
    this.#channel.postMessage(message);
  }

  /** Does it while no other of the tabs does. */
  async alone(work: () => Promise<void>): Promise<void> {
    await navigator.locks.request(`graft:renewal:${this.family}`, work);
  }

  /** What the others have that is newest; null where there are none. */
  async newest(): Promise<Kept | null> {
    await this.#lives;
    const { held = [] } = await navigator.locks.query();
    const peerCount = held.filter(({ name }) => name === this.#living).length - 1;
    if (peerCount < 1) return null;
    const has: Kept[] = [];
    await new Promise<void>((resolve) => {
      let answers = 0;
      const timer = setTimeout(resolve, ANSWER_MS);
      this.#heard = (credentials) => {
        if (credentials) has.push(credentials);
        answers += 1;
        if (answers < peerCount) return;
        clearTimeout(timer);
        resolve();
      };
      this.tell({ is: 'asked' });
    });
    this.#heard = null;
    return has.sort((a, b) => b.generation - a.generation)[0] ?? null;
  }

  close(): void {
    this.#channel.close();
    this.#leave();
  }

  #take(message: Told): void {
    switch (message.is) {
      case 'asked':
        return this.tell({ is: 'has', kept: this.tab.current() });
      case 'ended':
        return this.tab.ended(message.problem);
      case 'left':
        return this.tab.left();
      case 'has':
        if (this.#heard) return this.#heard(message.kept);
        if (message.kept) this.tab.has(message.kept);
    }
  }
}
