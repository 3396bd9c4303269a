import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { GraftError } from '../../kernel/errors.js';
import type { Logger } from '../telemetry/index.js';

/** Whom a child runs as; empty means as we do. */
export interface OperatingUser {
  uid?: number;
  gid?: number;
}

const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * Whom PostgreSQL may run as: ourselves, or, as it refuses to run as root, the owner of the data that is already there, else the
 * system user `postgres`, which is created when the machine has none.
 *
 * @throws GraftError SETUP_FAILED when it can't be created.
 */
export function postgresUser(existingData: string | null, log: Logger): OperatingUser {
  if (!isRoot()) return {};
  if (existingData !== null) {
    const { uid, gid } = lstatSync(existingData);
    if (uid !== 0) return { uid, gid };
  }
  const user = lookUp();
  if (user !== null) return user;
  createUser();
  log.warn({ user: 'postgres' }, 'PostgreSQL refuses to run as root: created the system user "postgres" to run it');
  const created = lookUp();
  if (created === null) throw cannotCreate(undefined);
  return created;
}

/** Whether this user may enter the folder and write there, asked of the kernel rather than computed from mode bits. */
export function canWork(user: OperatingUser, folder: string): boolean {
  const test = spawnSync('/bin/sh', ['-c', 'cd "$1" && test -r . && test -w .', 'sh', folder], {
    ...user,
    cwd: '/',
    stdio: 'ignore',
  });
  return test.status === 0;
}

function lookUp(): OperatingUser | null {
  try {
    const ask = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: ask('-u'), gid: ask('-g') };
  } catch {
    return null;
  }
}

/** `useradd` on most systems, `adduser` of busybox on the small ones. */
function createUser(): void {
  const ways: [string, string[]][] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']],
    ['adduser', ['-S', '-D', '-H', '-s', '/sbin/nologin', 'postgres']],
  ];
  let failure: unknown;
  for (const [program, args] of ways) {
    try {
      execFileSync(program, args, { stdio: 'pipe' });
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw cannotCreate(failure);
}

const cannotCreate = (cause: unknown) =>
  new GraftError('SETUP_FAILED', 'PostgreSQL refuses to run as root, and no user could be created to run it.', {
    hint: 'Start Graft as an ordinary user, create a system user "postgres", or set DATABASE_URL to a server of your own.',
    cause,
  });
