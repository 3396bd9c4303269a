export { openDatabase, type Database, type Transaction } from './database.js';
export { isTaken, mapDatabaseError, mapNameTaken } from './errors.js';
export { asColumn } from './json-column.js';
export { migrate } from './migrate.js';
export { Prisma } from './generated/client.js';
