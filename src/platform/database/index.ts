export { openDatabase, type Database, type Transaction } from './database.js';
export { isTaken, mapDatabaseError, mapNameTaken } from './errors.js';
export { asColumn } from './json-column.js';
export {
  applyInTransaction,
  checksums,
  migrate,
  ownMigrations,
  PRISMA_LOCK,
  PRISMA_TABLE,
  readMigrations,
  type Migration,
} from './migrate.js';
export { Prisma } from './generated/client.js';
