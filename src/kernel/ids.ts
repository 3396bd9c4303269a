import { v7, validate } from 'uuid';
import type { Brand } from './brand.js';

/** A UUID version 7 (RFC 9562): its order is the order of creation, so it serves as the keyset of every list. */
export type Uuid = Brand<string, 'Uuid'>;
export type WorkspaceId = Brand<string, 'WorkspaceId'>;

/** The workspace of a single-tenant installation; the first migration creates it. */
export const DEFAULT_WORKSPACE_ID = '00000000-0000-7000-8000-000000000001' as WorkspaceId;

export const newId = (): Uuid => v7() as Uuid;

export const isUuid = (value: string): value is Uuid => validate(value);
