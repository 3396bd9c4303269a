import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, DateTime, make, NodeType, toGlobalId } from '../../graphql-kit/index.js';
import { Role } from '../../kernel/caller.js';
import type { ApiKeyRow } from './api-key.js';

registerEnumType(Role, {
  name: 'Role',
  description: 'What a caller may do. Each role may all that those before it may; each field says which one it needs.',
  valuesConfig: {
    ASK: { description: 'Asks, searches and reads.' },
    EDIT: {
      description:
        'Also changes documents, data and feedback, reads rows and the answers of others, trains and evaluates.',
    },
    OPERATE: { description: 'Also decides what answers: models, aliases, the router, rollouts.' },
    ADMIN: { description: 'Also keys, budgets, workspaces and the audit log.' },
  },
});

@ObjectType({
  implements: NodeType,
  description: 'Lets whoever has it in, as one role of one workspace. The key itself was shown once, when it was made.',
})
export class ApiKey extends NodeType {
  @Field(() => String, { description: 'What it is for, 1 to 100 characters.' })
  name!: string;

  @Field(() => String, { description: 'How the key begins: `graft_` and ten characters.' })
  prefix!: string;

  @Field(() => Role, { description: 'What its owner may do.' })
  role!: Role;

  @Field(() => [String], {
    description:
      'Groups whose documents its owner sees beside those that everybody sees; ADMIN sees all, whatever stands here.',
  })
  groups!: string[];

  @Field(() => String, { description: 'Who made it: a key’s name and prefix, `local`, or `graft keys create`.' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it stops to work; null for never.' })
  expiresAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was revoked; null where it was not.' })
  revokedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was last used, to the minute; null for never.' })
  lastUsedAt!: Date | null;

  readonly row!: ApiKeyRow;
}

export const { Connection: ApiKeyConnection } = connectionTypes(ApiKey);

export const toApiKey = (row: ApiKeyRow): ApiKey => {
  const { id, name, prefix, role, groups, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt } = row;
  return make(ApiKey, {
    id: toGlobalId('ApiKey', id),
    name,
    prefix,
    role,
    groups,
    createdBy,
    createdAt,
    expiresAt,
    revokedAt,
    lastUsedAt,
    row,
  });
};
