import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { storedSummary } from '../../../src/operate/access/audit/audit.js';
import { storedBody } from '../../../src/answer/ask/answer.js';
import { storedMembership } from '../../../src/answer/ask/route/membership/membership-store.js';
import { storedLearned } from '../../../src/answer/ask/route/router/router.js';
import { storedVersion } from '../../../src/sources/data/datasets/dataset.js';
import { storedBlend, storedLabelFit } from '../../../src/sources/data/answering/label-index/label-index.js';
import { storedFields, storedValues } from '../../../src/sources/data/features/feature-view.js';
import {
  storedExperimentState,
  storedPoint,
  storedSettings as storedExperiment,
} from '../../../src/ship/delivery/experiments/experiment.js';
import {
  storedDecisionEvidence,
  storedPlan,
  storedState as storedRolloutState,
} from '../../../src/ship/delivery/rollouts/rollout.js';
import { storedSkipped } from '../../../src/ship/delivery/shadow/shadow.js';
import { storedExpectation } from '../../../src/learn/feedback/expectation.js';
import { storedMoves } from '../../../src/learn/feedback/review/review.js';
import { storedFigures } from '../../../src/prove/evaluations/figures.js';
import { storedSettings } from '../../../src/ship/improvement/policy.js';
import { storedJson, type StoredJson } from '../../../src/kernel/stored-json.js';
import { storedEmbedder } from '../../../src/sources/knowledge/collection.js';
import { storedMetadata } from '../../../src/sources/knowledge/document-store.js';
import { storedRule, storedState } from '../../../src/operate/monitoring/alerts/rule.js';
import { storedStream } from '../../../src/operate/monitoring/drift/stream.js';
import { storedPayload } from '../../../src/operate/monitoring/webhooks/webhook.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import {
  storedAliasEvidence,
  storedAttestation,
  storedMetrics,
  storedUsage,
} from '../../../src/sources/registry/adapters/adapter.js';
import { storedChat } from '../../../src/sources/registry/model.js';
import { storedWording } from '../../../src/sources/registry/wording.js';
import { storedMeasurement } from '../../../src/sources/registry/quantization/quantization.js';
import { keptRequest } from '../../../src/server/openai/responses/request.js';
import { storedManifest } from '../../../src/sources/sync/manifest.js';
import { storedNotes } from '../../../src/server/openai/vector-stores/rows.js';
import { storedRecipe } from '../../../src/learn/training/recipes/recipe.js';

/** Each kind of run has forms of its own: see `defineRunKind`. */
const OF_ITS_KIND = 'the run kind';

/** What is stored in each JSON column. */
const COLUMNS: Record<string, StoredJson<never> | StoredJson<unknown> | typeof OF_ITS_KIND> = {
  'Run.input': OF_ITS_KIND,
  'Run.output': OF_ITS_KIND,
  'Run.checkpoint': OF_ITS_KIND,
  'Event.payload': OF_ITS_KIND,
  'AuditEntry.input': storedSummary,
  'AuditEntry.before': storedSummary,
  'AuditEntry.after': storedSummary,
  'BaseModel.wording': storedWording,
  'ModelVariant.measurement': storedMeasurement,
  'ModelVariant.chat': storedChat,
  'AdapterMembership.learned': storedMembership,
  'AdapterVersion.usage': storedUsage,
  'AdapterVersion.recipe': storedRecipe,
  'AdapterVersion.metrics': storedMetrics,
  'AdapterVersion.attestation': storedAttestation,
  'AdapterAliasChange.evidence': storedAliasEvidence,
  'SearchIndex.embedder': storedEmbedder,
  'Document.metadata': storedMetadata,
  'Answer.body': storedBody,
  'Response.request': keptRequest,
  'Source.manifest': storedManifest,
  'VectorStore.metadata': storedNotes,
  'Feedback.expectation': storedExpectation,
  'DatasetVersion.manifest': storedVersion.manifest,
  'DatasetVersion.sources': storedVersion.sources,
  'DatasetVersion.counts': storedVersion.counts,
  'DatasetVersion.statistics': storedVersion.statistics,
  'DatasetVersion.report': storedVersion.report,
  'FeatureView.fields': storedFields,
  'FeatureRow.values': storedValues,
  'LabelIndex.fit': storedLabelFit,
  'LabelBlend.weights': storedBlend,
  'RouterVersion.learned': storedLearned,
  'Evaluation.figures': storedFigures,
  'ReviewItem.moves': storedMoves,
  'Rollout.plan': storedPlan,
  'Rollout.state': storedRolloutState,
  'Rollout.gate': storedAliasEvidence,
  'RolloutDecision.evidence': storedDecisionEvidence,
  'Proposal.gate': storedAliasEvidence,
  'Experiment.plan': storedExperiment,
  'Experiment.state': storedExperimentState,
  'ExperimentPoint.comparisons': storedPoint,
  'Shadow.skipped': storedSkipped,
  'RetrainingPolicy.settings': storedSettings,
  'Improvement.settings': storedSettings,
  'AlertRule.rule': storedRule,
  'AlertRule.state': storedState,
  'WebhookDelivery.payload': storedPayload,
  'DriftStream.state': storedStream,
};

describe('stored JSON', () => {
  it('has a numbered format in every column', () => {
    const schema = readFileSync(join(packageRoot(), 'prisma', 'schema.prisma'), 'utf8');
    const columns = [...schema.matchAll(/^model (\w+) \{(.*?)^\}/gms)].flatMap(([, model, body]) =>
      [...body!.matchAll(/^ +(\w+) +Json\b/gm)].map(([, column]) => `${model}.${column}`),
    );
    expect(Object.keys(COLUMNS).sort()).toEqual(columns.sort());
  });

  const shape = z.object({ seconds: z.number(), name: z.string() });
  const stored = storedJson(shape, [
    (old) => ({ milliseconds: old }),
    (old) => ({ seconds: (old as { milliseconds: number }).milliseconds / 1000, name: '' }),
  ]);

  it('is read whatever earlier version wrote it', () => {
    expect(stored.decode(1500)).toEqual({ seconds: 1.5, name: '' });
    expect(stored.decode({ format: 2, milliseconds: 500 })).toEqual({ seconds: 0.5, name: '' });
    const value = { seconds: 2, name: 'egg' };
    expect(stored.encode(value)).toEqual({ ...value, format: 3 });
    expect(stored.decode(stored.encode(value))).toEqual(value);
  });

  it('of a later version is refused, and says that an update reads it', () => {
    expect(() => stored.decode({ format: 4 })).toThrow('stored by a later version');
  });

  it('that its schema refuses is neither written nor read', () => {
    expect(() => stored.encode({ seconds: Number.NaN, name: '' })).toThrow('JSON to be stored is not of format 3');
    expect(() => stored.decode({ format: 3, seconds: '2' })).toThrow('JSON to be read is not of format 3');
  });
});
