import type { Sha256 } from '../../kernel/hashing.js';
import { asSystem, type Database } from '../database/index.js';
import type { ArtifactStore } from './artifact-store.js';
import type { S3ArtifactStore } from './s3/s3-artifact-store.js';

interface OutOfReach {
  /** The home that has them; null when nobody knows of one. */
  home: string | null;
  count: number;
  /** Name of one of them. */
  example: string;
}

/** Which home has the bytes of which files: what gateways of one database know of each other's. Over all workspaces. */
export class FilesOfHomes {
  constructor(private readonly database: Database) {}

  /** Another home that has these bytes; null when none has. */
  async homeOf(sha256: string, home: string): Promise<string | null> {
    const where = { sha256, home: { not: null }, NOT: { home } };
    const find = () => this.database.prisma.storedFile.findFirst({ where, select: { home: true } });
    return (await asSystem(find))?.home ?? null;
  }

  /** The files that a gateway can't read, by home. In a shared store, all but those that are known to lie in a home are there. */
  outOfReach(home: string, store: ArtifactStore): Promise<OutOfReach[]> {
    return asSystem(() => this.#outOfReach(home, store));
  }

  async #outOfReach(home: string, store: ArtifactStore): Promise<OutOfReach[]> {
    const otherHomes = { home: { not: null }, NOT: { home } };
    const outOfReach = new Map<string | null, OutOfReach>();
    const rows = await this.database.prisma.storedFile.findMany({
      where: store.home === null ? otherHomes : {},
      distinct: ['sha256'],
      select: { sha256: true, name: true, home: true },
    });
    for (const row of rows) {
      if (await store.has(row.sha256)) continue;
      const where = row.home === home ? null : row.home;
      const entry = outOfReach.get(where) ?? { home: where, count: 0, example: row.name };
      outOfReach.set(where, { ...entry, count: entry.count + 1 });
    }
    return [...outOfReach.values()];
  }

  /** Sends what one home alone has to the store of all. What is lost or damaged stays its own. @returns how many files went */
  share(home: string, store: S3ArtifactStore): Promise<number> {
    return asSystem(() => this.#share(home, store));
  }

  async #share(home: string, store: S3ArtifactStore): Promise<number> {
    const rows = await this.database.prisma.storedFile.findMany({
      where: { home },
      distinct: ['sha256'],
      select: { sha256: true },
    });
    let copies = 0;
    for (const { sha256 } of rows) {
      if (!(await store.share(sha256 as Sha256))) continue;
      await this.database.prisma.storedFile.updateMany({ where: { sha256 }, data: { home: null } });
      copies += 1;
    }
    return copies;
  }
}
