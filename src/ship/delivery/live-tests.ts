import { AS_ASKED, type Arm, type Asker, type Assigner, type Drawn } from '../../answer/ask/index.js';
import type { Clock } from '../../kernel/clock.js';
import { sha256 } from '../../kernel/hashing.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { asSystem } from '../../platform/database/index.js';
import type { EventLog } from '../../platform/events/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import { assign, type Test } from './assignment/index.js';
import { TESTS_TOPIC } from './topic.js';

/** What questions are drawn into, as every gateway holds it in memory. */
export interface LiveTest {
  kind: 'ROLLOUT' | 'EXPERIMENT';
  id: string;
  workspaceId: string;
  /** Whose production’s questions are drawn; null: those that leave the choice to Graft. */
  adapter: string | null;
  stage: number;
  salt: string;
  test: Test;
  /** Only requests that name a unit take part: whoever comes back must get the same arm. */
  unitsOnly?: boolean;
  /** What each arm changes, in the order of the test’s arms. */
  changes: readonly Partial<Arm>[];
}

/** Who has tests to draw into. */
export interface TestSource {
  live(): Promise<LiveTest[]>;
}

interface LiveTestsParts {
  sources: readonly TestSource[];
  events: EventLog;
  clock: Clock;
  log: Logger;
}

/** How often tests are read anew: notifications are quicker, this is for those that get lost. */
const CONNECTED_MS = 2_000;
const DISCONNECTED_MS = 500;
/** Tests that were not read anew for so long may have ended: nobody is drawn any more, and production answers. */
const STALE_MS = 30_000;

/** Draws questions into what runs, from memory. */
export class LiveTests implements Assigner {
  #tests = new Map<string, LiveTest[]>();
  #readAt = -Infinity;
  #reading: Promise<void> | null = null;
  readonly #stopped = new AbortController();
  #following: Promise<void> | null = null;

  constructor(private readonly parts: LiveTestsParts) {}

  assign(workspaceId: WorkspaceId, adapter: string | null, { unit, requestKey, forceArm }: Asker): Drawn | null {
    const tests = this.#tests.get(keyOf(workspaceId, adapter));
    if (!tests || this.parts.clock.monotonic() - this.#readAt > STALE_MS) return null;
    for (const { kind, id, stage, salt, test, changes, unitsOnly } of tests) {
      if (unitsOnly && unit === null && forceArm === null) continue;
      const draw = assign(test, unit ?? requestKey, forceArm);
      if (!draw) continue;
      const { arm, index, bucket, probability, forced } = draw;
      return {
        assignment: {
          kind,
          subjectId: id,
          arm,
          stage,
          forced,
          bucket: bucket ?? 0,
          probability: forced ? 1 : probability,
          unitHash: unit === null ? null : sha256(`${salt} ${unit}`),
        },
        change: { ...AS_ASKED, ...changes[index] },
      };
    }
    return null;
  }

  /** Reads anew what runs; whoever has just changed it waits for this, so that its own gateway draws by it at once. */
  async refresh(): Promise<void> {
    // What is being read may have begun before the change.
    await this.#reading;
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { sources, clock } = this.parts;
    // Whoever changed one waits for all that every workspace runs.
    const read = await asSystem(() => Promise.all(sources.map((source) => source.live())));
    const tests = new Map<string, LiveTest[]>();
    for (const test of read.flat()) {
      const key = keyOf(test.workspaceId, test.adapter);
      tests.set(key, [...(tests.get(key) ?? []), test]);
    }
    this.#tests = tests;
    this.#readAt = clock.monotonic();
  }

  /** Follows what begins and ends on other gateways. */
  async start(): Promise<void> {
    await this.refresh().catch((err: unknown) => this.parts.log.warn({ err }, 'tests were not read'));
    this.#following ??= this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { wakeUps } = this.parts.events;
    const bell = wakeUps.bell(TESTS_TOPIC);
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await bell.wait(wakeUps.connected ? CONNECTED_MS : DISCONNECTED_MS, signal);
      if (signal.aborted) break;
      await this.refresh().catch((err: unknown) => this.parts.log.debug({ err }, 'tests were not read'));
    }
    bell.release();
  }
}

const keyOf = (workspaceId: string, adapter: string | null): string => `${workspaceId} ${adapter ?? ''}`;
