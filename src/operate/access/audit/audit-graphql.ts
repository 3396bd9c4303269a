import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import {
  ConnectionArgs,
  connectionTypes,
  cost,
  nodeOf,
  mapPage,
  Needs,
  NodeType,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  objectType,
  inputType,
} from '../../../kit/graphql/index.js';
import { Role } from '../../../kernel/caller.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { date, json, string, oneOf, id, list } from '../../../kernel/record.js';
import type { AuditRow } from './audit.js';
import type { AuditStore } from './audit-store.js';

const AuditEntry = objectType(
  'AuditEntry',
  'A change, or the attempt at one: who, with which role, what. Texts of people and documents are not kept.',
  {
    createdAt: date('When it began.').meta({ name: 'at' }),
    who: string('Who did it: a key’s name and prefix, or `local` where none was asked for.'),
    role: oneOf(Role, 'With which role.'),
    what: string('The mutation, such as `promoteAdapter`.'),
    subject: id('Id of what it was done to, for `node(id)`; null where there is none.')
      .nullable()
      .meta({ name: 'subjectId' }),
    input: json('What was asked for: names, ids and numbers; of every other text only how long it was (`characters`).'),
    before: json('How it was before; null where the mutation does not say.').nullable(),
    after: json('How it is since; null where nothing changed.').nullable(),
    outcome: string(
      '`DONE`, or the code for which it failed; null while it goes on, or where the gateway went away meanwhile.',
    ).nullable(),
    requestId: string('Id of the request, as logs have it.'),
    row: z.custom<AuditRow>(),
  },
  NodeType,
);
type AuditEntry = InstanceType<typeof AuditEntry>;

const { Connection: AuditConnection } = connectionTypes(AuditEntry);

const AuditFilterInput = inputType('AuditFilterInput', 'Which entries; all that is given has to hold.', {
  who: string('Part of who did it: a name or a prefix.').nullish(),
  what: list(z.string(), 'Any of these mutations, at most 50.').max(50).nullish(),
  subjectId: id('Id of what it was done to.').nullish(),
  outcome: string('`DONE` or an error code.').nullish(),
  from: date('Begun then or later.').nullish(),
  to: date('Begun before.').nullish(),
});
type AuditFilterInput = InstanceType<typeof AuditFilterInput>;

export const toAuditEntry = (row: AuditRow): AuditEntry => nodeOf(AuditEntry, row);

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
    const page = await this.parts.auditStore.page(workspaceId, { ...rest, subject: subjectId ?? null }, args.request());
    return toConnection(mapPage(page, toAuditEntry), ({ row }) => encodeCursor([row.id]), args.after);
  }
}
