import { z } from 'zod';
import { enumeration } from '../../../kernel/enumeration.js';
import { TaskKind } from '../../../sources/data/index.js';
import {
  connectionTypes,
  make,
  toGlobalId,
  recordType,
  nodeType,
  ofType,
  objectType,
  inputType,
  enumType,
} from '../../../kit/graphql/index.js';
import { record, string, oneOf, date, int, float, boolean, id } from '../../../kernel/record.js';
import type { AdapterRow, AdapterVersionRow, AliasChangeRow } from '../../../sources/registry/index.js';
import {
  attestation,
  storedAttestation,
  type Attestation as AttestationRecord,
} from '../../../sources/registry/index.js';
import { AdapterMetrics, toAdapterMetrics } from './metrics-types.js';

export const AdapterAlias = { PRODUCTION: 'production', CANDIDATE: 'candidate' } as const;
export type AdapterAlias = (typeof AdapterAlias)[keyof typeof AdapterAlias];
enumType(AdapterAlias, 'AdapterAlias', 'A movable pointer to an adapter version.', {
  PRODUCTION: 'The version that answers when a request names the adapter alone.',
  CANDIDATE: 'The version that passed the gate and waits to be delivered.',
});

const AdapterOrigin = enumeration('TRAINED', 'IMPORTED');
type AdapterOrigin = keyof typeof AdapterOrigin;
enumType(AdapterOrigin, 'AdapterOrigin', 'Where the weights of an adapter version come from.', {
  TRAINED: 'A training run of this installation made them.',
  IMPORTED: 'They were trained elsewhere and imported.',
});

export const Adapter = nodeType('Adapter', 'A named LoRA adapter for one task on one base model.', {
  name: string('Unique in the workspace.'),
  task: oneOf(TaskKind, 'What it was made for.'),
  description: string('What it is for, in the words of whoever made it; empty when nothing was said.'),
  createdAt: date('When it was first trained or imported.'),
  row: z.custom<AdapterRow>(),
});
export type Adapter = InstanceType<typeof Adapter>;

const Attestation = recordType(
  record(
    'Attestation',
    'The proof that an adapter version acts on the model that is served, and only while it is applied.',
    {
      ...attestation.shape,
      modulesMatched: int('Modules of the model that the adapter changes; all that it holds, or there is no proof.'),
    },
  ),
);
type Attestation = InstanceType<typeof Attestation>;

export const AdapterVersion = nodeType(
  'AdapterVersion',
  'The weights of an adapter as one training run or one import made them. It never changes.',
  {
    version: z.int().describe('Counts from 1 within its adapter.'),
    digest: string('SHA-256 of its weights in PEFT’s form, 64 hexadecimal digits.'),
    rank: z.int().describe('Rank of its updates.'),
    alpha: float('Its updates are scaled by alpha / rank.'),
    targets: z.array(z.string()).describe('The linear layers that it changes, by PEFT’s names.'),
    sizeBytes: z.bigint().describe('Size of its weights in bytes.'),
    origin: oneOf(AdapterOrigin, 'Where its weights come from.'),
    scale: float('What its effect is multiplied by when it answers, 0 to 4; chosen on validation data.'),
    attestation: ofType(() => Attestation)
      .nullable()
      .describe(
        'The proof that it acts; null before it was attested, and where it failed: then no alias names it, and it answers only who asks for it by its number, whose answer says that it isn’t attested.',
      ),
    metrics: ofType(() => AdapterMetrics).describe(
      'What its training took in memory and time beside what was estimated, and what was measured since.',
    ),
    createdAt: date('When it was made.'),
    row: z.custom<AdapterVersionRow>(),
  },
);
export type AdapterVersion = InstanceType<typeof AdapterVersion>;

export const AliasChange = objectType(
  'AliasChange',
  'One move of an alias: who, when, why and from where to where. It never changes.',
  {
    id: id('Of this change.'),
    alias: oneOf(AdapterAlias, 'What was moved.'),
    changedBy: string('Who moved it.'),
    reason: string('Why, in their words.'),
    isRollback: boolean('Whether it restored what an earlier promotion had replaced.'),
    createdAt: date('When.'),
    row: z.custom<AliasChangeRow>(),
  },
);
export type AliasChange = InstanceType<typeof AliasChange>;

export const { Connection: AdapterConnection } = connectionTypes(Adapter);
export const { Connection: AliasChangeConnection } = connectionTypes(AliasChange);

export const RollbackAdapterInput = inputType(
  'RollbackAdapterInput',
  'Which alias goes back to what it named before its last promotion, and why.',
  {
    adapter: string('Name of the adapter.'),
    alias: z.enum(AdapterAlias).optional().default(AdapterAlias.PRODUCTION).describe('Which alias goes back.'),
    reason: string('Why, for the record; 1 to 1,000 characters.'),
    by: string('Who decides, for the record; 1 to 200 characters; by default the caller.').nullish(),
  },
);
export type RollbackAdapterInput = InstanceType<typeof RollbackAdapterInput>;

export const AliasMovedPayload = objectType('AliasMovedPayload', 'The adapter after an alias was moved.', {
  adapter: ofType(() => Adapter).describe('The adapter.'),
  change: ofType(() => AliasChange).describe('What was written down of the move.'),
});
export type AliasMovedPayload = InstanceType<typeof AliasMovedPayload>;

export const toAdapter = (row: AdapterRow): Adapter =>
  make(Adapter, { ...row, id: toGlobalId('Adapter', row.id), task: row.task as TaskKind, row });

const toAttestation = (proof: AttestationRecord): Attestation => ({ ...proof, modulesMatched: proof.modules.matched });

export const toAdapterVersion = (row: AdapterVersionRow): AdapterVersion =>
  make(AdapterVersion, {
    ...row,
    id: toGlobalId('AdapterVersion', row.id),
    sizeBytes: row.bytes,
    origin: row.origin as AdapterOrigin,
    attestation: row.attestation === null ? null : toAttestation(storedAttestation.decode(row.attestation)),
    metrics: toAdapterMetrics(row),
    row,
  });

export const toAliasChange = (row: AliasChangeRow): AliasChange =>
  make(AliasChange, { ...row, id: toGlobalId('AliasChange', row.id), alias: row.alias as AdapterAlias, row });

export const toAliasMoved = (adapter: AdapterRow, change: AliasChangeRow): AliasMovedPayload =>
  make(AliasMovedPayload, { adapter: toAdapter(adapter), change: toAliasChange(change) });
