import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import type { Role } from '../../../kernel/caller.js';
import { asSystem, type Database } from '../../../platform/database/index.js';
import type { ApiKeyRow, KeyInUse } from './api-key.js';

/** Columns of `ApiKeyRow`: the digest leaves this file only to be compared. */
const SHOWN = {
  id: true,
  workspaceId: true,
  lineId: true,
  name: true,
  prefix: true,
  role: true,
  createdBy: true,
  groups: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
  createdAt: true,
} as const;

const IN_USE = `id, workspace_id AS "workspaceId", line_id AS "lineId", name, prefix, digest, role, groups,
  revoked_at IS NOT NULL AS revoked, coalesce(expires_at <= now(), false) AS expired`;

interface NewApiKey {
  workspaceId: WorkspaceId;
  name: string;
  prefix: string;
  digest: string;
  role: Role;
  groups: string[];
  createdBy: string;
  expiresAt: Date | null;
}

/** All queries of the table `api_key`. */
export class ApiKeyStore {
  constructor(private readonly database: Database) {}

  async create(key: NewApiKey): Promise<ApiKeyRow> {
    const id = newId();
    const row = await this.database.prisma.apiKey.create({ data: { lineId: id, ...key, id }, select: SHOWN });
    return row as ApiKeyRow;
  }

  async byId(workspaceId: WorkspaceId, id: string): Promise<ApiKeyRow | null> {
    return (await this.database.prisma.apiKey.findFirst({
      where: { workspaceId, id },
      select: SHOWN,
    })) as ApiKeyRow | null;
  }

  /** Newest first; the cursor is `encodeCursor([key.id])`. */
  async page(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<ApiKeyRow>> {
    const cursor = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.apiKey.findMany({
      where: { workspaceId, ...(cursor === undefined ? {} : { id: { lt: cursor } }) },
      orderBy: { id: 'desc' },
      take: page.first + 1,
      select: SHOWN,
    });
    return toPage(rows as ApiKeyRow[], page.first);
  }

  /** @returns the key as it is then; null where the workspace has none of this id */
  async change(
    workspaceId: WorkspaceId,
    id: string,
    change: { name?: string; role?: Role; groups?: string[]; expiresAt?: Date | null },
  ): Promise<ApiKeyRow | null> {
    const { count } = await this.database.prisma.apiKey.updateMany({ where: { workspaceId, id }, data: change });
    return count === 0 ? null : this.byId(workspaceId, id);
  }

  /** Ends a key, the first time it is called. */
  async revoke(workspaceId: WorkspaceId, id: string): Promise<void> {
    await this.database.pool.query(
      'UPDATE api_key SET revoked_at = now() WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL',
      [workspaceId, id],
    );
  }

  /**
   * A key in place of one that ends in so many seconds, or when it ends anyway, with all that holds of that. One statement over the locked
   * row: who is revoked or loses a role meanwhile has no successor that says otherwise.
   * @returns null where that one was revoked, or isn't there
   */
  async succeed(
    workspaceId: WorkspaceId,
    id: string,
    { seconds, prefix, digest, createdBy }: Pick<NewApiKey, 'prefix' | 'digest' | 'createdBy'> & { seconds: number },
  ): Promise<ApiKeyRow | null> {
    const successor = newId();
    const { rowCount } = await this.database.pool.query(
      `WITH old AS (SELECT * FROM api_key WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL FOR UPDATE),
       ending AS (UPDATE api_key k SET expires_at = least(k.expires_at, now() + make_interval(secs => $3)) FROM old WHERE k.id = old.id)
       INSERT INTO api_key (id, workspace_id, line_id, name, prefix, digest, role, groups, created_by, expires_at)
       SELECT $4, workspace_id, line_id, name, $5, $6, role, groups, $7, expires_at FROM old`,
      [workspaceId, id, seconds, successor, prefix, digest, createdBy],
    );
    return rowCount === 0 ? null : this.byId(workspaceId, successor);
  }

  /** Whether a key lets anybody in as ADMIN of a workspace. */
  async hasAdmin(workspaceId: WorkspaceId): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `SELECT 1 FROM api_key WHERE workspace_id = $1 AND role = 'ADMIN' AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > now()) LIMIT 1`,
      [workspaceId],
    );
    return rowCount === 1;
  }

  /** In every workspace: who comes with a key says by it which is theirs. */
  async inUseByPrefix(prefix: string): Promise<KeyInUse | null> {
    const query = {
      name: 'api-key-by-prefix',
      text: `SELECT ${IN_USE} FROM api_key WHERE prefix = $1`,
      values: [prefix],
    };
    const { rows } = await asSystem(() => this.database.pool.query<KeyInUse>(query));
    return rows[0] ?? null;
  }

  /** Those of these ids that there are, in every workspace. */
  async inUseByIds(ids: readonly string[]): Promise<KeyInUse[]> {
    const text = `SELECT ${IN_USE} FROM api_key WHERE id = ANY($1::uuid[])`;
    const { rows } = await asSystem(() => this.database.pool.query<KeyInUse>(text, [ids]));
    return rows;
  }

  /** Notes that a key was used, at most once a minute however many gateways say so. */
  async used(id: string): Promise<void> {
    const text = `UPDATE api_key SET last_used_at = now()
      WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`;
    // Said before the caller is let in.
    await asSystem(() => this.database.pool.query(text, [id]));
  }
}
