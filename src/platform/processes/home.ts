import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { lockHome } from './home-lock.js';
import { CHROMA_STOP } from './chroma.js';
import { endLeftover } from './leftovers.js';
import { POSTGRES_STOP } from './postgres.js';
import { outsideFolder, postgresRecord } from './postgres-home.js';

/**
 * Creates the folder of an installation if need be, for its user alone. Root's is passable (0711) though not readable, because
 * PostgreSQL refuses to run as root and its other user must reach the folder that it owns in there. A folder with files of somebody
 * else becomes no home, because a home is removed with all that lies in it.
 *
 * @throws GraftError SETUP_FAILED when the folder can't be made or written, or is another's.
 */
export async function openHome(home: string): Promise<void> {
  try {
    const created = await mkdir(home, { recursive: true });
    const foreign = created === undefined ? foreignIn(await readdir(home)) : null;
    if (foreign !== null)
      throw new GraftError('SETUP_FAILED', `The folder ${home} is in use for something else: ${foreign} lies in it.`, {
        hint: 'Set GRAFT_HOME to a folder of its own, such as ./.graft, which is the default.',
      });
    if (created !== undefined) await chmod(home, process.getuid?.() === 0 ? 0o711 : 0o700);
    await mkdir(join(home, 'logs'), { recursive: true, mode: 0o700 });
    await mkdir(join(home, 'run'), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (isGraftError(error)) throw error;
    throw new GraftError('SETUP_FAILED', `The home ${home} can’t be used: ${(error as Error).message}`, {
      hint: 'Set GRAFT_HOME to a folder that this user may write.',
      cause: error,
    });
  }
}

/** Whether a folder was made by Graft, or is empty, and is none in which somebody lives or works. */
async function isHome(folder: string): Promise<boolean> {
  if ([homedir(), process.cwd()].some((place) => !relative(folder, place).startsWith('..'))) return false;
  const names = await readdir(folder);
  return names.length === 0 || isMade(names);
}

const isMade = (names: readonly string[]): boolean =>
  MADE_AT_HOME.some((name) => names.includes(name)) || ['logs', 'run'].every((name) => names.includes(name));

/** A file of somebody else in a folder that Graft did not make; what begins with a point, and what a new volume has, is nobody's. */
const foreignIn = (names: readonly string[]): string | null =>
  isMade(names) ? null : (names.find((name) => !name.startsWith('.') && name !== 'lost+found') ?? null);

/** What a home has beside `logs` and `run`, and may be brought to a new one. */
const MADE_AT_HOME = [
  'postgres.json',
  'chroma.json',
  'calibration.json',
  'executors.json',
  'chosen-model.json',
  'lock',
];

/**
 * Removes a home with everything in it, and what was put outside because PostgreSQL's user could not enter it. Returns the
 * removed folders. Asking first is the caller's business.
 *
 * @throws GraftError SETUP_FAILED when a running Graft uses the home, or the folder is none.
 */
export async function removeHome(home: string): Promise<string[]> {
  if (!(await stat(home).catch(() => null))?.isDirectory()) return [];
  if (!(await isHome(home)))
    throw new GraftError('SETUP_FAILED', `${home} is no home of Graft, and stays as it is.`, {
      hint: 'Set GRAFT_HOME to the folder of the installation.',
    });
  const lock = await lockHome(home);
  const outside = outsideFolder(home, postgresRecord(home));
  const folders = outside === null ? [home] : [outside, home];
  try {
    await endLeftover(home, 'postgres', POSTGRES_STOP);
    await endLeftover(home, 'chroma', CHROMA_STOP);
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  } finally {
    lock.release();
  }
  return folders;
}
