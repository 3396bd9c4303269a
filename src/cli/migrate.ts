import { migrate } from '../platform/database/index.js';
import { GraftError } from '../kernel/errors.js';

/**
 * Brings the database of DATABASE_URL to the form of this version, as a gateway does when it starts: for a step of its own before gateways
 * are replaced.
 * @returns the migrations that were applied @throws SETUP_FAILED without a DATABASE_URL, DATABASE_UNAVAILABLE
 */
export async function migrateDatabase(url: string | undefined): Promise<string[]> {
  if (!url)
    throw new GraftError(
      'SETUP_FAILED',
      'DATABASE_URL names no database; one that Graft keeps is migrated when Graft starts.',
    );
  return migrate(url);
}
