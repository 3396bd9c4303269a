import { GraftError, isGraftError } from '../../kernel/errors.js';

/** The bytes lie where only another gateway can read them: who needs them waits for that one, or asks it. */
export class ArtifactElsewhere extends GraftError {
  constructor(sha256: string, home: string) {
    super(
      'STORAGE_UNAVAILABLE',
      `The artifact ${brief(sha256)} lies in the home ${home}, which this gateway can’t read.`,
      {
        hint: 'Ask the gateway of that home, or give all gateways of this database one store (GRAFT_S3_ENDPOINT).',
      },
    );
  }
}

/** The bytes may well be there, but this process can't read them: a permission, a failing disk, too many open files. */
export class ArtifactUnreadable extends GraftError {
  constructor(cause: unknown) {
    super('STORAGE_FAILED', `An artifact could not be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'}).`, {
      hint: 'Look at the permissions of GRAFT_HOME and at its disk.',
      cause,
    });
  }
}

const brief = (sha256: string): string => `${sha256.slice(0, 12)}…`;

export const missing = (sha256: string, where: string): GraftError =>
  new GraftError('STORAGE_FAILED', `The artifact ${brief(sha256)} is not in ${where} any more.`, {
    hint: 'Put it back from a backup, or upload the file again: equal content takes its place.',
  });

export const damaged = (sha256: string, where: string): GraftError =>
  new GraftError(
    'STORAGE_FAILED',
    `The artifact ${brief(sha256)} in ${where} is damaged: its content has another digest.`,
    {
      hint: 'Put it back from a backup, or upload the file again: equal content takes its place.',
    },
  );

/** For callers that can make again what is lost or damaged, but not what is only out of reach. */
export function nullIfLost(error: unknown): null {
  if (isGraftError(error, 'STORAGE_UNAVAILABLE')) throw error;
  return null;
}

export const noDigest = (): GraftError => new GraftError('NOT_FOUND', 'No artifact has this digest.');

export function writeFailed(error: unknown): never {
  if (isGraftError(error)) throw error;
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  throw new GraftError('STORAGE_FAILED', full ? 'The disk is full.' : 'A file could not be written.', {
    hint: full
      ? 'Free space where GRAFT_HOME lies and send it again; nothing was kept, and no restart is needed.'
      : 'Look at the log for the reason, and at the permissions of GRAFT_HOME.',
    cause: error,
  });
}
