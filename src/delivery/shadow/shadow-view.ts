import { make, toGlobalId } from '../../graphql-kit/index.js';
import type { PairStatus, ShadowPairRow, ShadowRow, ShadowStatus } from './shadow.js';
import { Shadow, ShadowPair } from './shadow-types.js';

export const toShadow = (row: ShadowRow): Shadow =>
  make(Shadow, {
    id: toGlobalId('Shadow', row.id),
    adapterName: row.adapter,
    candidateVersion: row.candidateVersion,
    againstVersion: row.againstVersion,
    status: row.status as ShadowStatus,
    errorCode: row.errorCode,
    share: row.share,
    mostPerHour: row.mostPerHour,
    leastAnswers: row.leastAnswers,
    answered: row.answered,
    startedBy: row.startedBy,
    reason: row.reason,
    endedBy: row.endedBy,
    endReason: row.endReason,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
    row,
  });

export const toPair = (row: ShadowPairRow): ShadowPair =>
  make(ShadowPair, {
    status: row.status as PairStatus,
    errorCode: row.why,
    same: row.same,
    similarity: row.similarity,
    servedLabel: row.servedLabel,
    candidateLabel: row.candidateLabel,
    servedAbstained: row.servedAbstained,
    candidateAbstained: row.candidateAbstained,
    servedConfidence: row.servedConfidence,
    candidateConfidence: row.candidateConfidence,
    servedComputeMs: row.servedComputeMs,
    candidateComputeMs: row.candidateComputeMs,
    row,
  });
