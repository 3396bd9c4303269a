import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { TaskKind } from '../../data/index.js';
import {
  BigIntScalar,
  connectionTypes,
  DateTime,
  make,
  NodeType,
  toGlobalId,
  recordType,
} from '../../graphql-kit/index.js';
import { record } from '../../kernel/record.js';
import type { AdapterRow, AdapterVersionRow, AliasChangeRow } from '../../registry/index.js';
import { attestation, storedAttestation, type Attestation as AttestationRecord } from '../../registry/index.js';
import { AdapterMetrics, toAdapterMetrics } from './metrics-types.js';

export const AdapterAlias = { PRODUCTION: 'production', CANDIDATE: 'candidate' } as const;
export type AdapterAlias = (typeof AdapterAlias)[keyof typeof AdapterAlias];
registerEnumType(AdapterAlias, {
  name: 'AdapterAlias',
  description: 'A movable pointer to an adapter version.',
  valuesConfig: {
    PRODUCTION: { description: 'The version that answers when a request names the adapter alone.' },
    CANDIDATE: { description: 'The version that passed the gate and waits to be delivered.' },
  },
});

export const AdapterOrigin = { TRAINED: 'TRAINED', IMPORTED: 'IMPORTED' } as const;
export type AdapterOrigin = (typeof AdapterOrigin)[keyof typeof AdapterOrigin];
registerEnumType(AdapterOrigin, {
  name: 'AdapterOrigin',
  description: 'Where the weights of an adapter version come from.',
  valuesConfig: {
    TRAINED: { description: 'A training run of this installation made them.' },
    IMPORTED: { description: 'They were trained elsewhere and imported.' },
  },
});

@ObjectType({ implements: NodeType, description: 'A named LoRA adapter for one task on one base model.' })
export class Adapter extends NodeType {
  @Field(() => String, { description: 'Unique in the workspace.' })
  name!: string;

  @Field(() => TaskKind, { description: 'What it was made for.' })
  task!: TaskKind;

  @Field(() => String, { description: 'What it is for, in the words of whoever made it; empty when nothing was said.' })
  description!: string;

  @Field(() => DateTime, { description: 'When it was first trained or imported.' })
  createdAt!: Date;

  readonly row!: AdapterRow;
}

const Attestation = recordType(
  record(
    'Attestation',
    'The proof that an adapter version acts on the model that is served, and only while it is applied.',
    {
      ...attestation.shape,
      modulesMatched: z
        .number()
        .int()
        .describe('Modules of the model that the adapter changes; all that it holds, or there is no proof.'),
    },
  ),
);
type Attestation = InstanceType<typeof Attestation>;

@ObjectType({
  implements: NodeType,
  description: 'The weights of an adapter as one training run or one import made them. It never changes.',
})
export class AdapterVersion extends NodeType {
  @Field(() => Int, { description: 'Counts from 1 within its adapter.' })
  version!: number;

  @Field(() => String, { description: 'SHA-256 of its weights in PEFT’s form, 64 hexadecimal digits.' })
  digest!: string;

  @Field(() => Int, { description: 'Rank of its updates.' })
  rank!: number;

  @Field(() => Float, { description: 'Its updates are scaled by alpha / rank.' })
  alpha!: number;

  @Field(() => [String], { description: 'The linear layers that it changes, by PEFT’s names.' })
  targets!: string[];

  @Field(() => BigIntScalar, { description: 'Size of its weights in bytes.' })
  sizeBytes!: bigint;

  @Field(() => AdapterOrigin, { description: 'Where its weights come from.' })
  origin!: AdapterOrigin;

  @Field(() => Float, {
    description: 'What its effect is multiplied by when it answers, 0 to 4; chosen on validation data.',
  })
  scale!: number;

  @Field(() => Attestation, {
    nullable: true,
    description:
      'The proof that it acts; null before it was attested, and where it failed: then no alias names it, and it answers only who asks for it by its number, whose answer says that it isn’t attested.',
  })
  attestation!: Attestation | null;

  @Field(() => AdapterMetrics, {
    description: 'What its training took in memory and time beside what was estimated, and what was measured since.',
  })
  metrics!: AdapterMetrics;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  readonly row!: AdapterVersionRow;
}

@ObjectType({ description: 'One move of an alias: who, when, why and from where to where. It never changes.' })
export class AliasChange {
  @Field(() => ID, { description: 'Of this change.' })
  id!: string;

  @Field(() => AdapterAlias, { description: 'What was moved.' })
  alias!: AdapterAlias;

  @Field(() => String, { description: 'Who moved it.' })
  changedBy!: string;

  @Field(() => String, { description: 'Why, in their words.' })
  reason!: string;

  @Field(() => Boolean, { description: 'Whether it restored what an earlier promotion had replaced.' })
  isRollback!: boolean;

  @Field(() => DateTime, { description: 'When.' })
  createdAt!: Date;

  readonly row!: AliasChangeRow;
}

export const { Connection: AdapterConnection } = connectionTypes(Adapter);
export const { Connection: AliasChangeConnection } = connectionTypes(AliasChange);

@InputType({ description: 'Which alias goes back to what it named before its last promotion, and why.' })
export class RollbackAdapterInput {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapter!: string;

  @Field(() => AdapterAlias, {
    nullable: true,
    defaultValue: AdapterAlias.PRODUCTION,
    description: 'Which alias goes back.',
  })
  alias!: AdapterAlias;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who decides, for the record; 1 to 200 characters; `operator` by default.',
  })
  by?: string | null;
}

@ObjectType({ description: 'The adapter after an alias was moved.' })
export class AliasMovedPayload {
  @Field(() => Adapter, { description: 'The adapter.' })
  adapter!: Adapter;

  @Field(() => AliasChange, { description: 'What was written down of the move.' })
  change!: AliasChange;
}

export const toAdapter = (row: AdapterRow): Adapter =>
  make(Adapter, {
    id: toGlobalId('Adapter', row.id),
    name: row.name,
    task: row.task as TaskKind,
    description: row.description,
    createdAt: row.createdAt,
    row,
  });

const toAttestation = (proof: AttestationRecord): Attestation => ({ ...proof, modulesMatched: proof.modules.matched });

export const toAdapterVersion = (row: AdapterVersionRow): AdapterVersion =>
  make(AdapterVersion, {
    id: toGlobalId('AdapterVersion', row.id),
    version: row.version,
    digest: row.digest,
    rank: row.rank,
    alpha: row.alpha,
    targets: row.targets,
    sizeBytes: row.bytes,
    origin: row.origin as AdapterOrigin,
    scale: row.scale,
    attestation: row.attestation === null ? null : toAttestation(storedAttestation.decode(row.attestation)),
    metrics: toAdapterMetrics(row),
    createdAt: row.createdAt,
    row,
  });

export const toAliasChange = (row: AliasChangeRow): AliasChange =>
  make(AliasChange, {
    id: toGlobalId('AliasChange', row.id),
    alias: row.alias as AdapterAlias,
    changedBy: row.changedBy,
    reason: row.reason,
    isRollback: row.isRollback,
    createdAt: row.createdAt,
    row,
  });

export const toAliasMoved = (adapter: AdapterRow, change: AliasChangeRow): AliasMovedPayload =>
  make(AliasMovedPayload, { adapter: toAdapter(adapter), change: toAliasChange(change) });
