import { execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { GraftError } from '../../kernel/errors.js';
import type { Logger } from '../telemetry/index.js';
import { freePort, isFree } from './free-port.js';
import type { Keeper } from './keeper-client.js';
import { clearPostgresFolder, endLeftover } from './leftovers.js';
import { minimalEnvironment } from './minimal-environment.js';
import { dataVersion, postgresHome, postgresRecord, type PostgresHome } from './postgres-home.js';
import { postgresProgram, type PostgresProgram } from './postgres-program.js';
import type { StopStep } from './stop-process.js';
import { SupervisedProcess } from './supervised-process.js';

const USER = 'graft';
const DATABASE = 'graft';
/** Fast shutdown (sessions are ended, data is flushed), immediate shutdown (recovers at the next start), the end. */
export const POSTGRES_STOP: readonly StopStep[] = [
  ['SIGINT', 20_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 2_000],
];
/** After a crash PostgreSQL first replays its log, which may take minutes. */
const READY_WITHIN_MS = 300_000;
const PORT_ATTEMPTS = 3;

/** What was found out about PostgreSQL on this machine before anything starts. */
interface PostgresPlan {
  home: string;
  place: PostgresHome;
  program: PostgresProgram;
}

/** Checks that PostgreSQL can run here. @throws GraftError SETUP_FAILED with the ways out. */
export function planPostgres(home: string, log: Logger): PostgresPlan {
  const place = postgresHome(home, log);
  const program = postgresProgram(place.user, join(place.folder, '..'), log);
  const version = dataVersion(place.folder);
  if (version !== null && version !== program.major)
    throw new GraftError(
      'SETUP_FAILED',
      `The data in ${place.folder} was made by PostgreSQL ${version}; this is ${program.major}.`,
      { hint: 'Start the release that made it and dump the database, or use pg_upgrade.' },
    );
  return { home, place, program };
}

/**
 * Starts PostgreSQL on a loopback port with a random password, on the first start after creating its data, and keeps it running.
 * The port is the one of the last start when it is free.
 */
export async function startPostgres(
  plan: PostgresPlan,
  keeper: Keeper,
  log: Logger,
): Promise<{ url: string; process: SupervisedProcess }> {
  const { home, place } = plan;
  await endLeftover(home, 'postgres', POSTGRES_STOP);
  if (!existsSync(join(place.folder, 'PG_VERSION'))) await initialise(plan, log);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(place.record.port ?? undefined);
    if (port !== place.record.port) place.save({ port });
    const server = supervised(plan, port, keeper, log);
    try {
      await server.start();
      await createDatabase(place.record.password, port);
      return { url: urlOf(place.record.password, port, DATABASE), process: server };
    } catch (error) {
      await server.stop();
      // Somebody took the port between our look and PostgreSQL's.
      if (attempt === PORT_ATTEMPTS || (await isFree(port))) throw error;
    }
  }
}

function supervised({ home, place, program }: PostgresPlan, port: number, keeper: Keeper, log: Logger) {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    jit: 'off',
  };
  return new SupervisedProcess(
    {
      name: 'postgres',
      home,
      logFile: join(home, 'logs', 'postgres.log'),
      stop: POSTGRES_STOP,
      readyWithinMs: READY_WITHIN_MS,
      prepare: () => clearPostgresFolder(place.folder, POSTGRES_STOP),
      spawn: (output) =>
        spawn(
          program.postgres,
          ['-D', place.folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
          {
            ...place.user,
            cwd: '/',
            // A session of its own: a terminal's Ctrl-C is for the gateway, which ends its servers in order.
            detached: true,
            stdio: ['ignore', output, output],
            env: minimalEnvironment({ LC_ALL: 'C' }),
          },
        ),
      answers: () => answers(urlOf(place.record.password, port, 'postgres')),
    },
    keeper,
    log,
  );
}

/** Where the PostgreSQL of a home listens that another process started; null where the home has none. */
export function runningPostgres(home: string): string | null {
  const record = postgresRecord(home);
  return record?.port ? urlOf(record.password, record.port, DATABASE) : null;
}

const urlOf = (password: string, port: number, database: string) =>
  `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;

/** Runs initdb in a folder beside and renames it, so that a start killed half-way leaves no half-made data. */
async function initialise({ home, place, program }: PostgresPlan, log: Logger): Promise<void> {
  const started = performance.now();
  const fresh = `${place.folder}.new`;
  const passwordFile = `${place.folder}.password`;
  rmSync(fresh, { recursive: true, force: true });
  const give = (path: string) => {
    if (place.user.uid !== undefined && place.user.gid !== undefined) chownSync(path, place.user.uid, place.user.gid);
  };
  try {
    mkdirSync(fresh, { mode: 0o700 });
    give(fresh);
    writeFileSync(passwordFile, `${place.record.password}\n`, { mode: 0o600 });
    give(passwordFile);
    await initdb(program.initdb, fresh, passwordFile, place.user);
    if (existsSync(place.folder) && readdirSync(place.folder).length > 0)
      throw new Error(`${place.folder} holds files that are not PostgreSQL’s`);
    if (existsSync(place.folder)) rmdirSync(place.folder);
    renameSync(fresh, place.folder);
    place.save({ initialised: true });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new GraftError(
      'SETUP_FAILED',
      `PostgreSQL’s data can’t be created in ${home}: ${stderr?.trim() || message}`,
      {
        hint: 'Free space or set GRAFT_HOME to another folder, or set DATABASE_URL to a server of your own.',
        cause: error,
      },
    );
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
  log.info({ folder: place.folder, ms: Math.round(performance.now() - started) }, 'created the PostgreSQL data');
}

/**
 * The builtin provider's C.UTF-8 sorts and folds case alike on every machine. The text search parser still asks the C library
 * what a letter is: the first UTF-8 locale that the machine has serves for that.
 */
async function initdb(
  program: string,
  folder: string,
  passwordFile: string,
  user: PostgresHome['user'],
): Promise<void> {
  const characterTypes = ['C.UTF-8', 'en_US.UTF-8', 'C'];
  for (const [index, characterType] of characterTypes.entries()) {
    const args = [
      ['-D', folder],
      [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ['--locale=C', `--lc-ctype=${characterType}`, '--data-checksums'],
    ].flat();
    try {
      await promisify(execFile)(program, args, { ...user, cwd: '/', env: minimalEnvironment({ LC_ALL: 'C' }) });
      return;
    } catch (error) {
      const invalidLocale = /invalid locale name/.test((error as { stderr?: string }).stderr ?? '');
      if (!invalidLocale || index === characterTypes.length - 1) throw error;
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabase(password: string, port: number): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(password, port, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
