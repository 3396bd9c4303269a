/**
 * A gateway that answers nobody: it takes runs of those kinds that GRAFT_RUNS names, on a machine of its own (training on a node with a GPU, say), and ends
 * once none of them is left. `node dist/src/work.js [--idle SECONDS]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadConfig, type Config } from './platform/config.js';
import { GraftError } from './kernel/errors.js';
import { failToStart, openInstallation, stopOnSignal } from './server/main.js';
import { Housekeeper } from './platform/chores.js';
import { asSystem } from './platform/database/index.js';
import { Teardown } from './platform/teardown.js';
import { createLogger, type Logger } from './platform/telemetry/index.js';
import { platformChores } from './platform/upkeep.js';

const LOOK_MS = 1_000;
const IDLE_SECONDS = 60;
const MOST_IDLE_SECONDS = 86_400;

/**
 * Takes runs until there were none for so long.
 * @throws SETUP_FAILED without a DATABASE_URL, whose runs it would take, MODEL_UNAVAILABLE and others
 */
function work(config: Config, log: Logger, options: WorkOptions): Promise<void> {
  return asSystem(() => takeRuns(config, log, options));
}

async function takeRuns(
  config: Config,
  log: Logger,
  { idleMs, teardown = new Teardown() }: WorkOptions,
): Promise<void> {
  if (config.DATABASE_URL === undefined)
    throw new GraftError('SETUP_FAILED', 'DATABASE_URL names no database whose runs could be taken.', {
      hint: 'A database that a gateway keeps for itself has no other process beside it.',
    });
  try {
    const { platform, offers } = await openInstallation(config, log, teardown);
    const { runs, clock } = platform;
    for (const each of offers) each.handleRuns();
    teardown.add(() => runs.stop());
    const housekeeper = new Housekeeper({ chores: platformChores(platform), log });
    teardown.add(() => housekeeper.stop());
    runs.start();
    housekeeper.start();
    log.info({ kinds: config.GRAFT_RUNS }, 'takes runs');
    let since = clock.monotonic();
    while (clock.monotonic() - since < idleMs) {
      // A database that is away is no reason to end: the runner waits for it, too.
      if (await runs.someLeft().catch(() => true)) since = clock.monotonic();
      await sleep(Math.min(LOOK_MS, idleMs));
    }
    log.info({ idleMs }, 'no run is left');
  } finally {
    await teardown.run(log);
  }
}

interface WorkOptions {
  /** How long there may be no run before it ends, in ms. */
  idleMs: number;
  /** What stops all of it from outside. */
  teardown?: Teardown;
}

/** @throws SETUP_FAILED */
function idleFrom(args: readonly string[]): number {
  const { idle } = parseArgs({
    args: [...args],
    options: { idle: { type: 'string', default: `${IDLE_SECONDS}` } },
  }).values;
  const seconds = Number(idle);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_IDLE_SECONDS) return seconds * 1_000;
  throw new GraftError('SETUP_FAILED', `--idle: ${idle} is no number of seconds from 1 to ${MOST_IDLE_SECONDS}.`);
}

async function main(): Promise<void> {
  const idleMs = idleFrom(process.argv.slice(2));
  const config = loadConfig();
  const log = createLogger({ level: config.LOG_LEVEL });
  const teardown = new Teardown();
  stopOnSignal({ stop: () => asSystem(() => teardown.run(log)) });
  await work(config, log, { idleMs, teardown });
  process.exit(0);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main().catch(failToStart);
