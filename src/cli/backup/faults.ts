import { GraftError, isGraftError } from '../../kernel/errors.js';

export const noBackup = (folder: string): GraftError =>
  new GraftError('SETUP_FAILED', `${folder} holds no backup: it has no manifest.json.`, {
    hint: 'The manifest is written last, so a backup that was interrupted has none. Name another folder.',
  });

export const damagedBackup = (folder: string, damage: string): GraftError =>
  new GraftError('STORAGE_FAILED', `The backup in ${folder} is damaged: ${damage}.`, {
    hint: 'Nothing was changed. Copy it anew from where it was made, or take another one.',
  });

export const folderTaken = (folder: string): GraftError =>
  new GraftError('CONFLICT', `Another backup writes into ${folder}.`, {
    hint: 'Name a new folder for each backup. Nothing was changed in this one.',
  });

/** What went wrong while a backup was written into `folder`. */
export function writingFailed(folder: string, error: unknown): unknown {
  if (isGraftError(error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new GraftError('STORAGE_FAILED', `The disk is full where the backup is written (${folder}).`, {
      hint: 'Free space there or name another folder. What had been written of it was removed; Graft itself is untouched.',
      cause: error,
    });
  if (typeof code === 'string' && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EIO'].includes(code))
    return new GraftError('STORAGE_FAILED', `The backup can’t be written into ${folder} (${code}).`, {
      hint: 'Name a folder that this user may write.',
      cause: error,
    });
  return error;
}

export const interrupted = (error: unknown): boolean => (error as { name?: unknown }).name === 'AbortError';
