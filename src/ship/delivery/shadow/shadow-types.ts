import { z } from 'zod';
import {
  connectionTypes,
  inputType,
  make,
  NodeType,
  objectType,
  ofType,
  recordInput,
  recordType,
  toGlobalId,
} from '../../../kit/graphql/index.js';
import { record, boolean, date, float, id, int, oneOf, string } from '../../../kernel/record.js';
import { requestedBy } from '../request.js';
import { PairStatus, shadowRequest, ShadowStatus, type ShadowPairRow, type ShadowRow } from './shadow.js';
import { shadowReport } from './shadow-report.js';
import { ShadowEventKind } from './shadow-store.js';

export const StartShadowInput = recordInput(shadowRequest);
export type StartShadowInput = InstanceType<typeof StartShadowInput>;

export const StopShadowInput = inputType('StopShadowInput', 'Which shadow ends, and why.', {
  shadow: id('Id of the shadow.'),
  ...requestedBy,
});

export const ShadowReport = recordType(shadowReport);
export type ShadowReport = InstanceType<typeof ShadowReport>;

const shadow = record(
  'Shadow',
  'A version that answers a sample of live questions beside production, unseen, and is compared with it in pairs.',
  {
    adapter: string('Name of the adapter.').meta({ name: 'adapterName' }),
    candidateVersion: int('Number of the version that answers unseen.'),
    againstVersion: int('Number of the production version whose answers are sampled.'),
    status: oneOf(ShadowStatus, 'How far it is.'),
    errorCode: string('Code of why it could not go on; null unless it FAILED.').nullable(),
    share: float('Share of production’s answers that is sampled, above 0 to 1.'),
    mostPerHour: int('Questions that the candidate is asked within an hour at most.'),
    leastAnswers: int('Answers of the candidate at which it is complete.'),
    answered: int('Questions that were put to the candidate so far.'),
    startedBy: string('Who started it.'),
    reason: string('Why.'),
    endedBy: string('Who ended it; null where it ended by itself, and before.').nullable(),
    endReason: string('Why it ended; null before.').nullable(),
    createdAt: date('When it began.'),
    finishedAt: date('When it ended; null before.').nullable(),
    row: z.custom<ShadowRow>(),
  },
);
export const Shadow = recordType(shadow, NodeType);
export type Shadow = InstanceType<typeof Shadow>;
export const { Connection: ShadowConnection } = connectionTypes(Shadow);

export const ShadowPair = recordType(
  record('ShadowPair', 'An answer that was served, and how the candidate’s to the same question differs.', {
    answerId: z.string(),
    status: oneOf(PairStatus, 'What became of it.'),
    why: string('The code that the candidate failed with; null unless it FAILED.')
      .nullable()
      .meta({ name: 'errorCode' }),
    same: boolean('Whether both said the same; null where they can’t be compared.').nullable(),
    similarity: float('Overlap of both texts’ words, 0 to 1; null where there are none.').nullable(),
    servedLabel: string('The label that was served; null where none was.').nullable(),
    candidateLabel: string('The candidate’s label; null where it gave none.').nullable(),
    servedAbstained: boolean('Whether what was served was no answer.').nullable(),
    candidateAbstained: boolean('Whether the candidate gave none.').nullable(),
    servedConfidence: float('Confidence of what was served, 0 to 1; null where unknown.').nullable(),
    candidateConfidence: float('The candidate’s, 0 to 1; null where unknown.').nullable(),
    servedComputeMs: float('Work on what was served, in ms; null where unknown.').nullable(),
    candidateComputeMs: float('Work on the candidate’s answer, in ms; null where it failed.').nullable(),
  }),
);
export type ShadowPair = InstanceType<typeof ShadowPair>;
export const { Connection: ShadowPairConnection } = connectionTypes(ShadowPair);

export const ShadowEvent = recordType(
  record('ShadowEvent', 'Something that happened in a shadow, as its stream tells it.', {
    id: id('Place in the shadow’s stream: pass the last one seen as `after` to continue behind it.'),
    kind: oneOf(ShadowEventKind, 'What.'),
    answerId: string('Id of the answer that was compared; null where none was.').nullable().meta({ node: 'Answer' }),
  }),
);
export type ShadowEvent = InstanceType<typeof ShadowEvent>;

const shadowField = { shadow: ofType(() => Shadow, 'Watch it with `shadowEvents`.') };
export const ShadowPayload = objectType('ShadowPayload', 'The shadow as it is now.', shadowField);
export const StartShadowPayload = objectType(
  'StartShadowPayload',
  'The shadow that was started, or was already under this key.',
  shadowField,
);
export type StartShadowPayload = InstanceType<typeof StartShadowPayload>;

export const toShadow = (row: ShadowRow): Shadow =>
  make(Shadow, { ...row, id: toGlobalId('Shadow', row.id), status: row.status as ShadowStatus, row });

export const toPair = (row: ShadowPairRow): ShadowPair =>
  make(ShadowPair, { ...row, status: row.status as PairStatus });
