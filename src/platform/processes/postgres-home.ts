import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { sha256 } from '../../kernel/hashing.js';
import type { Logger } from '../telemetry/index.js';
import { canWork, postgresUser, type OperatingUser } from './operating-user.js';
import { readJson, writePrivateJson } from './private-files.js';

/** `<home>/postgres.json`: what is needed to open the data again. */
interface PostgresRecord {
  /** Relative to the home unless it had to lie elsewhere. */
  folder: string;
  password: string;
  port: number | null;
  /** Set once the data folder is complete: then its absence is a loss, not a first start. */
  initialised: boolean;
}

export interface PostgresHome {
  user: OperatingUser;
  folder: string;
  record: PostgresRecord;
  save(change: Partial<PostgresRecord>): void;
}

const recordPath = (home: string) => join(home, 'postgres.json');

export const postgresRecord = (home: string): PostgresRecord | null => readJson<PostgresRecord>(recordPath(home));

/** The folder outside the home that holds its PostgreSQL data, or null when the data lies in the home. */
export const outsideFolder = (home: string, record: PostgresRecord | null): string | null =>
  record !== null && isAbsolute(record.folder) ? dirname(record.folder) : null;

/** The same of a home. */
export const databaseOutside = (home: string): string | null => outsideFolder(home, postgresRecord(home));

/**
 * Decides whom PostgreSQL runs as and where its data lies, and remembers it in the home. The place is `<home>/postgres` unless
 * PostgreSQL's user can't get there (Graft runs as root in a folder that only root may enter): then it is a folder of
 * this home under /var/lib/graft or /var/tmp, and the log says so.
 *
 * @throws GraftError SETUP_FAILED when there is no place, or when data that was there is gone.
 */
export function postgresHome(home: string, log: Logger): PostgresHome {
  const knownRecord = postgresRecord(home);
  const record = knownRecord ?? {
    folder: 'postgres',
    password: randomBytes(24).toString('base64url'),
    port: null,
    initialised: false,
  };
  const absolute = () => (isAbsolute(record.folder) ? record.folder : join(home, record.folder));
  const save = (change: Partial<PostgresRecord>) => {
    Object.assign(record, change);
    writePrivateJson(recordPath(home), record);
  };
  const hasData = existsSync(join(absolute(), 'PG_VERSION'));
  if (record.initialised && !hasData)
    throw new GraftError('SETUP_FAILED', `The PostgreSQL data of this home is gone: ${absolute()} holds none.`, {
      hint: `Restore that folder, or begin anew: \`npm run reset\` removes the rest of ${home}.`,
    });
  if (knownRecord === null && hasData)
    throw new GraftError(
      'SETUP_FAILED',
      `${absolute()} holds data, but its password file ${recordPath(home)} is gone.`,
      {
        hint: 'Restore the file, or move the folder away.',
      },
    );
  const user = postgresUser(hasData ? absolute() : null, log);
  if (!hasData) place(home, user, save, log);
  return { user, folder: absolute(), record, save };
}

function place(home: string, user: OperatingUser, save: (change: Partial<PostgresRecord>) => void, log: Logger): void {
  if (prepareFolder(join(home, 'postgres'), user)) {
    save({ folder: 'postgres' });
    return;
  }
  const name = sha256(realpathSync(home)).slice(0, 16);
  for (const parent of ['/var/lib/graft', `/var/tmp/graft`]) {
    const folder = join(parent, name, 'postgres');
    if (!ownFolder(parent, log) || !ownFolder(dirname(folder), log, true) || !prepareFolder(folder, user)) continue;
    save({ folder });
    log.warn(
      { home, folder, uid: user.uid },
      'PostgreSQL may not run as root and its user can’t enter this home; its data lies outside, and goes when the home is reset',
    );
    return;
  }
  throw new GraftError('SETUP_FAILED', `PostgreSQL may not run as root, and its user can’t enter the home ${home}.`, {
    hint: 'Set GRAFT_HOME to a folder that other users may pass through, start Graft as an ordinary user, or set DATABASE_URL.',
  });
}

/** Makes the folder for the user; false (and no folder) when the user can't work in it. */
function prepareFolder(folder: string, user: OperatingUser): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  } catch {
    return false;
  }
  if (user.uid === undefined || canWork(user, folder)) return true;
  rmdirSync(folder);
  return false;
}

/**
 * A folder of ours that others may pass but not write; another owner's (anyone may create names in /var/tmp) is not touched.
 * `fresh`: what an earlier home of the same path left there is moved aside, since nobody has its password any more.
 */
function ownFolder(folder: string, log: Logger, fresh = false): boolean {
  try {
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    if (stat !== undefined && (!stat.isDirectory() || stat.uid !== process.getuid?.())) return false;
    if (stat !== undefined && fresh && existsSync(join(folder, 'postgres', 'PG_VERSION'))) {
      const aside = `${folder}.left-${Date.now()}`;
      renameSync(folder, aside);
      log.warn(
        { folder: aside },
        'data of a home that no longer exists was moved aside; remove it if you don’t miss it',
      );
    }
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o711);
    return true;
  } catch {
    return false;
  }
}

/** The major version that made the data folder, or null when there is no data. */
export function dataVersion(folder: string): string | null {
  try {
    return readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  } catch {
    return null;
  }
}
