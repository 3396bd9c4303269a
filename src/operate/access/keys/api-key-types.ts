import { z } from 'zod';
import { connectionTypes, nodeOf, NodeType, objectType } from '../../../kit/graphql/index.js';
import { Role } from '../../../kernel/caller.js';
import { string, oneOf, list, date } from '../../../kernel/record.js';
import type { ApiKeyRow } from './api-key.js';

export const ApiKey = objectType(
  'ApiKey',
  'Lets whoever has it in, as one role of one workspace. The key itself was shown once, when it was made.',
  {
    name: string('What it is for, 1 to 100 characters.'),
    prefix: string('How the key begins: `graft_` and ten characters.'),
    role: oneOf(Role, 'What its owner may do.'),
    groups: list(
      z.string(),
      'Groups whose documents its owner sees beside those that everybody sees; ADMIN sees all, whatever stands here.',
    ),
    createdBy: string('Who made it: a key’s name and prefix, `local`, or `graft keys create`.'),
    createdAt: date('When it was made.'),
    expiresAt: date('When it stops to work; null for never.').nullable(),
    revokedAt: date('When it was revoked; null where it was not.').nullable(),
    lastUsedAt: date('When it was last used, to the minute; null for never.').nullable(),
    row: z.custom<ApiKeyRow>(),
  },
  NodeType,
);
export type ApiKey = InstanceType<typeof ApiKey>;

export const { Connection: ApiKeyConnection } = connectionTypes(ApiKey);

export const toApiKey = (row: ApiKeyRow): ApiKey => nodeOf(ApiKey, row);
