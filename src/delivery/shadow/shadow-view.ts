import { make, toGlobalId } from '../../graphql-kit/index.js';
import type { PairStatus, ShadowPairRow, ShadowRow, ShadowStatus } from './shadow.js';
import { agreementOf, sentenceOf, type Beside, type ShadowFigures } from './shadow-report.js';
import {
  LabelChange,
  Shadow,
  ShadowAgreement,
  ShadowFailures,
  ShadowFigure,
  ShadowPair,
  ShadowReport,
  ShadowSkipped,
  ShadowTruth,
} from './shadow-types.js';

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

export function toReport(row: ShadowRow, figures: ShadowFigures): ShadowReport {
  const { answered, compared, failed, erased, waiting, similarity, abstained, truth } = figures;
  const agreement = agreementOf(figures);
  const named = (version: number): string => `${row.adapter}@${version}`;
  return make(ShadowReport, {
    sentence: sentenceOf(named(row.candidateVersion), named(row.againstVersion), figures),
    answered,
    compared,
    failed,
    erased,
    waiting,
    similarity,
    skipped: figures.skipped.map((each) => make(ShadowSkipped, { ...each })),
    failures: figures.failures.map((each) => make(ShadowFailures, { ...each })),
    agreement: agreement && make(ShadowAgreement, { ...agreement }),
    changes: figures.changes.map((each) => make(LabelChange, { ...each })),
    abstentions: figure({ pairs: compared, ...abstained }),
    confidence: figure(figures.confidence),
    latencyMs: figure(figures.latencyMs),
    computeMs: figure(figures.computeMs),
    truth: make(ShadowTruth, { ...truth }),
  });
}

const figure = (beside: Beside): ShadowFigure => make(ShadowFigure, { ...beside });

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
