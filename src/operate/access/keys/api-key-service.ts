import type { Role } from '../../../kernel/caller.js';
import type { Clock } from '../../../kernel/clock.js';
import { GraftError, notFound } from '../../../kernel/errors.js';
import { checkedGroups } from '../../../kernel/groups.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { checkedExpiry, checkedName, checkedOverlap, newToken, type ApiKeyRow } from './api-key.js';
import type { ApiKeyStore } from './api-key-store.js';

/** A key with what its owner sends. It is shown here once and can't be found out again. */
export interface NewKey {
  key: ApiKeyRow;
  token: string;
}

interface ApiKeyParts {
  store: ApiKeyStore;
  clock: Clock;
  /** Told of each key that changed, so that this gateway looks at it again at once; the others do so within a second. */
  changed?: (prefix: string) => void;
}

/** Makes, changes and ends keys. */
export class ApiKeyService {
  constructor(private readonly parts: ApiKeyParts) {}

  /** @throws BAD_USER_INPUT */
  async create(
    workspaceId: WorkspaceId,
    input: { name: string; role: Role; groups?: readonly string[] | null; expiresAt?: Date | null },
    createdBy: string,
  ): Promise<NewKey> {
    const { store, clock } = this.parts;
    const name = checkedName(input.name, 'input.name');
    const expiresAt = checkedExpiry(input.expiresAt, clock.now());
    const groups = checkedGroups(input.groups ?? [], 'input.groups');
    const { token, prefix, digest } = newToken();
    const key = await store.create({
      workspaceId,
      name,
      role: input.role,
      groups,
      prefix,
      digest,
      createdBy,
      expiresAt,
    });
    return { key, token };
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT for a key that was revoked */
  async update(
    workspaceId: WorkspaceId,
    id: string,
    input: { name?: string | null; role?: Role | null; groups?: readonly string[] | null; expiresAt?: Date | null },
  ): Promise<ApiKeyRow> {
    const { store, clock } = this.parts;
    await this.#live(workspaceId, id);
    const row = await store.change(workspaceId, id, {
      ...(input.name ? { name: checkedName(input.name, 'input.name') } : {}),
      ...(input.role ? { role: input.role } : {}),
      ...(input.groups ? { groups: checkedGroups(input.groups, 'input.groups') } : {}),
      ...(input.expiresAt === undefined ? {} : { expiresAt: checkedExpiry(input.expiresAt, clock.now()) }),
    });
    if (row === null) throw notFound('The key', id, 'input.id');
    this.parts.changed?.(row.prefix);
    return row;
  }

  /**
   * A new key in place of one that goes on for a while, so that nobody who uses it is shut out meanwhile. Name, role, expiry and budget
   * are the old one's.
   * @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT for a key that was revoked
   */
  async rotate(
    workspaceId: WorkspaceId,
    id: string,
    overlapSeconds: number | null | undefined,
    createdBy: string,
  ): Promise<NewKey> {
    const seconds = checkedOverlap(overlapSeconds);
    const old = await this.#live(workspaceId, id);
    const { token, ...keyFields } = newToken();
    const key = await this.parts.store.succeed(workspaceId, id, { seconds, ...keyFields, createdBy });
    if (key === null) throw revoked(old);
    this.parts.changed?.(old.prefix);
    return { key, token };
  }

  /** Ends a key: requests with it are refused at once by this gateway and within a second by others, and its streams end. @throws NOT_FOUND */
  async revoke(workspaceId: WorkspaceId, id: string): Promise<ApiKeyRow> {
    const { store } = this.parts;
    await store.revoke(workspaceId, id);
    const row = await store.byId(workspaceId, id);
    if (row === null) throw notFound('The key', id, 'input.id');
    this.parts.changed?.(row.prefix);
    return row;
  }

  async #live(workspaceId: WorkspaceId, id: string): Promise<ApiKeyRow> {
    const row = await this.parts.store.byId(workspaceId, id);
    if (row === null) throw notFound('The key', id, 'input.id');
    if (row.revokedAt !== null) throw revoked(row);
    return row;
  }
}

const revoked = ({ prefix }: ApiKeyRow): GraftError =>
  new GraftError('CONFLICT', `The key ${prefix} was revoked.`, { hint: 'Make a new one.' });
