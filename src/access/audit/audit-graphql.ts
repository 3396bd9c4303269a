import { Arg, Args, Ctx, Field, ID, InputType, ObjectType, Query, Resolver } from 'type-graphql';
import {
  ConnectionArgs,
  connectionTypes,
  cost,
  DateTime,
  JsonScalar,
  make,
  mapPage,
  MaxItems,
  Needs,
  NodeType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { Role } from '../../kernel/caller.js';
import { encodeCursor } from '../../kernel/pagination.js';
import type { AuditRow } from './audit.js';
import type { AuditStore } from './audit-store.js';

@ObjectType({
  implements: NodeType,
  description:
    'A change, or the attempt at one: who, with which role, what. Texts of people and documents are not kept.',
})
export class AuditEntry extends NodeType {
  @Field(() => DateTime, { description: 'When it began.' })
  at!: Date;

  @Field(() => String, { description: 'Who did it: a key’s name and prefix, or `local` where none was asked for.' })
  who!: string;

  @Field(() => Role, { description: 'With which role.' })
  role!: Role;

  @Field(() => String, { description: 'The mutation, such as `promoteAdapter`.' })
  what!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'Id of what it was done to, for `node(id)`; null where there is none.',
  })
  subjectId!: string | null;

  @Field(() => JsonScalar, {
    description: 'What was asked for: names, ids and numbers; of every other text only how long it was (`characters`).',
  })
  input!: unknown;

  @Field(() => JsonScalar, { nullable: true, description: 'How it was before; null where the mutation does not say.' })
  before!: unknown;

  @Field(() => JsonScalar, { nullable: true, description: 'How it is since; null where nothing changed.' })
  after!: unknown;

  @Field(() => String, {
    nullable: true,
    description:
      '`DONE`, or the code for which it failed; null while it goes on, or where the gateway went away meanwhile.',
  })
  outcome!: string | null;

  @Field(() => String, { description: 'Id of the request, as logs have it.' })
  requestId!: string;
}

const { Connection: AuditConnection } = connectionTypes(AuditEntry);

@InputType({ description: 'Which entries; all that is given has to hold.' })
export class AuditFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of who did it: a name or a prefix.' })
  who?: string | null;

  @MaxItems(50)
  @Field(() => [String], { nullable: true, description: 'Any of these mutations, at most 50.' })
  what?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'Id of what it was done to.' })
  subjectId?: string | null;

  @Field(() => String, { nullable: true, description: '`DONE` or an error code.' })
  outcome?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Begun then or later.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Begun before.' })
  to?: Date | null;
}

export const toAuditEntry = (row: AuditRow): AuditEntry =>
  make(AuditEntry, {
    id: toGlobalId('AuditEntry', row.id),
    at: row.createdAt,
    who: row.who,
    role: row.role,
    what: row.what,
    subjectId: row.subject,
    input: row.input,
    before: row.before,
    after: row.after,
    outcome: row.outcome,
    requestId: row.requestId,
  });

@Resolver()
export class AuditResolver {
  constructor(private readonly parts: { auditStore: AuditStore }) {}

  @Needs('ADMIN')
  @Query(() => AuditConnection, {
    description:
      'Who changed what in this workspace, newest first. Entries are removed after `GRAFT_AUDIT_DAYS` alone; `GET /audit.ndjson` gives all of them as a file.',
    complexity: cost(5),
  })
  async auditLog(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('filter', () => AuditFilterInput, { nullable: true, description: 'Which; all by default.' })
    filter: AuditFilterInput | null,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<AuditEntry>> {
    const { subjectId, ...rest } = filter ?? {};
    const found = await this.parts.auditStore.page(
      workspaceId,
      { ...rest, subject: subjectId ?? null },
      args.request(),
    );
    const page = mapPage(found, (row) => ({ row, node: toAuditEntry(row) }));
    const connection = toConnection(page, ({ row }) => encodeCursor([row.id]), args.after);
    return { ...connection, edges: connection.edges.map(({ cursor, node: { node } }) => ({ cursor, node })) };
  }
}
