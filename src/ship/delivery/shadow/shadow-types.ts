import { Field, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { connectionTypes, make, NodeType, recordInput, recordType, toGlobalId } from '../../../kit/graphql/index.js';
import { record } from '../../../kernel/record.js';
import { saidBy } from '../wish.js';
import { PairStatus, shadowWish, ShadowStatus, type ShadowPairRow, type ShadowRow } from './shadow.js';
import { shadowReport } from './shadow-report.js';
import { ShadowEventKind } from './shadow-store.js';

export const StartShadowInput = recordInput(shadowWish);
export type StartShadowInput = InstanceType<typeof StartShadowInput>;

export const StopShadowInput = recordInput(
  record('StopShadowInput', 'Which shadow ends, and why.', {
    shadow: z.string().describe('Id of the shadow.').meta({ shown: 'ID' }),
    ...saidBy,
  }),
);
export type StopShadowInput = InstanceType<typeof StopShadowInput>;

export const ShadowReport = recordType(shadowReport);
export type ShadowReport = InstanceType<typeof ShadowReport>;

const shadow = record(
  'Shadow',
  'A version that answers a sample of live questions beside production, unseen, and is compared with it in pairs.',
  {
    adapter: z.string().describe('Name of the adapter.').meta({ name: 'adapterName' }),
    candidateVersion: z.number().int().describe('Number of the version that answers unseen.'),
    againstVersion: z.number().int().describe('Number of the production version whose answers are sampled.'),
    status: z.enum(ShadowStatus).describe('How far it is.'),
    errorCode: z.string().nullable().describe('Code of why it could not go on; null unless it FAILED.'),
    share: z.number().describe('Share of production’s answers that is sampled, above 0 to 1.'),
    mostPerHour: z.number().int().describe('Questions that the candidate is asked within an hour at most.'),
    leastAnswers: z.number().int().describe('Answers of the candidate at which it is complete.'),
    answered: z.number().int().describe('Questions that were put to the candidate so far.'),
    startedBy: z.string().describe('Who started it.'),
    reason: z.string().describe('Why.'),
    endedBy: z.string().nullable().describe('Who ended it; null where it ended by itself, and before.'),
    endReason: z.string().nullable().describe('Why it ended; null before.'),
    createdAt: z.date().describe('When it began.'),
    finishedAt: z.date().nullable().describe('When it ended; null before.'),
    row: z.custom<ShadowRow>(),
  },
);
export const Shadow = recordType(shadow, NodeType);
export type Shadow = InstanceType<typeof Shadow>;
export const { Connection: ShadowConnection } = connectionTypes(Shadow);

export const ShadowPair = recordType(
  record('ShadowPair', 'An answer that was served, and how the candidate’s to the same question differs.', {
    answerId: z.string(),
    status: z.enum(PairStatus).describe('What became of it.'),
    why: z
      .string()
      .nullable()
      .describe('The code that the candidate failed with; null unless it FAILED.')
      .meta({ name: 'errorCode' }),
    same: z.boolean().nullable().describe('Whether both said the same; null where they can’t be compared.'),
    similarity: z.number().nullable().describe('Overlap of both texts’ words, 0 to 1; null where there are none.'),
    servedLabel: z.string().nullable().describe('The label that was served; null where none was.'),
    candidateLabel: z.string().nullable().describe('The candidate’s label; null where it gave none.'),
    servedAbstained: z.boolean().nullable().describe('Whether what was served was no answer.'),
    candidateAbstained: z.boolean().nullable().describe('Whether the candidate gave none.'),
    servedConfidence: z.number().nullable().describe('Confidence of what was served, 0 to 1; null where unknown.'),
    candidateConfidence: z.number().nullable().describe('The candidate’s, 0 to 1; null where unknown.'),
    servedComputeMs: z.number().nullable().describe('Work on what was served, in ms; null where unknown.'),
    candidateComputeMs: z.number().nullable().describe('Work on the candidate’s answer, in ms; null where it failed.'),
  }),
);
export type ShadowPair = InstanceType<typeof ShadowPair>;
export const { Connection: ShadowPairConnection } = connectionTypes(ShadowPair);

export const ShadowEvent = recordType(
  record('ShadowEvent', 'Something that happened in a shadow, as its stream tells it.', {
    id: z
      .string()
      .describe('Place in the shadow’s stream: pass the last one seen as `after` to continue behind it.')
      .meta({ shown: 'ID' }),
    kind: z.enum(ShadowEventKind).describe('What.'),
    answerId: z
      .string()
      .nullable()
      .describe('Id of the answer that was compared; null where none was.')
      .meta({ node: 'Answer' }),
  }),
);
export type ShadowEvent = InstanceType<typeof ShadowEvent>;

@ObjectType({ description: 'The shadow as it is now.' })
export class ShadowPayload {
  @Field(() => Shadow, { description: 'Watch it with `shadowEvents`.' })
  shadow!: Shadow;
}

@ObjectType({ description: 'The shadow that was started, or was already under this key.' })
export class StartShadowPayload extends ShadowPayload {}

export const toShadow = (row: ShadowRow): Shadow =>
  make(Shadow, { ...row, id: toGlobalId('Shadow', row.id), status: row.status as ShadowStatus, row });

export const toPair = (row: ShadowPairRow): ShadowPair =>
  make(ShadowPair, { ...row, status: row.status as PairStatus });
