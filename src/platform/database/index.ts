export { openDatabase, type Database, type Transaction } from './database.js';
export { isBadData, isOfDatabase, isTaken, mapDatabaseError, mapNameTaken } from './errors.js';
export { installationId } from './installation.js';
export { asColumn } from './json-column.js';
export {
  applyInTransaction,
  checksums,
  migrate,
  ownMigrations,
  PRISMA_LOCK,
  PRISMA_TABLE,
  readMigrations,
  seeAll,
  type Migration,
} from './migrate.js';
export { RecentReads } from './recent-reads.js';
export { asSystem, currentScope, inEachWorkspace, inScope, inWorkspace, type Scope } from './scope.js';
export { bypassesWall, warnWithoutWall } from './wall.js';
export { prepareWalledRole } from './walled-role.js';
export { Prisma } from './generated/client.js';
