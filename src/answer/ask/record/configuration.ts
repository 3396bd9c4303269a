import { NEIGHBOURS } from '../../../sources/data/index.js';
import { digestOf } from '../../../kernel/hashing.js';
import { PROMPTS_VERSION } from '../../../sources/prompting/index.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import { LEAST_PROBABILITY } from '../abstention.js';
import type { Configuration } from '../answer.js';
import type { ReaderJudgement } from '../judge/check-reading.js';
import { PASSAGE_TOKENS } from '../prompt/compose.js';
import { EMBEDDED_SENTENCES, EVIDENCE_WEIGHTS, KEPT_EVIDENCE } from '../read/evidence.js';
import type { LabelledRows } from '../read/labelled-rows.js';
import { writesFreely, type Adaptation, type Plan } from '../plan.js';
import type { Question } from '../question.js';
import type { PlannedQuestion } from '../planned-question.js';
import { PROBABILITY } from '../read/probability.js';
import { READING, TO_BE_READ } from '../judge/reading.js';
import { PASSAGES } from '../read/retrieve.js';
import { WORDS_VERSION } from '../read/words.js';

/** Everything but question and documents that an answer depends on: with the same digest, equal text is to be expected. */
export function configurationOf(
  plan: Plan,
  embedder: EmbedderFiles,
  { generation, preprocessing, features, minConfidence, maxOwnRefused, form, system, sampling, tools }: Question,
  check: Pick<ReaderJudgement, 'judge'> | null,
  { denseWeight, wording }: Pick<PlannedQuestion, 'denseWeight' | 'wording'>,
): Configuration {
  const { strategy, scope, labelled, variant, adaptation } = plan;
  const { model, quantization, sha256 } = variant;
  const reading = {
    embedder: { name: embedder.name, sha256: embedder.sha256 },
    retrieval: {
      mode: 'HYBRID',
      passages: PASSAGES,
      passageTokens: PASSAGE_TOKENS,
      ...(denseWeight === null ? {} : { denseWeight }),
    },
    evidence: { ...EVIDENCE_WEIGHTS, words: WORDS_VERSION, embedded: EMBEDDED_SENTENCES, kept: KEPT_EVIDENCE },
    probability: { ...PROBABILITY, least: LEAST_PROBABILITY },
  };
  const values = {
    strategy,
    model: { name: model, quantization, sha256 },
    prompts: PROMPTS_VERSION,
    ...(adaptation === null ? {} : { adapter: adapterOf(adaptation) }),
    generation: { ...generation },
    ...(form && { form: digestOf(form) }),
    ...(tools && { tools: digestOf({ ...tools, steps: undefined }) }),
    ...(writesFreely(plan, wording) && {
      ...(system !== undefined && { system: digestOf(system) }),
      ...(sampling && { sampling }),
    }),
    preprocessing,
    features,
    ...(scope === null ? {} : reading),
    ...(labelled === null ? {} : { embedder: reading.embedder, labelledRows: rowsOf(labelled) }),
    ...(minConfidence === null ? {} : { minConfidence }),
    ...(maxOwnRefused !== undefined && { maxOwnRefused }),
    ...(wording === null ? {} : { wording }),
    ...(check === null
      ? {}
      : {
          readingJudgedBy: {
            ...check.judge,
            ...READING,
            embedded: TO_BE_READ.embedded,
          },
        }),
  };
  return { digest: digestOf(values), values };
}

const rowsOf = ({ index, blend }: LabelledRows) => ({
  datasetVersion: index.datasetVersionId,
  index: index.id,
  neighbours: NEIGHBOURS,
  rule: index.fit.rule,
  weights: { adapter: blend.adapter, neighbours: blend.neighbours },
});

const adapterOf = ({ adapter: { adapter: name, version, file, usage } }: Adaptation) => ({
  name,
  version,
  sha256: file.sha256,
  scale: file.scale,
  rendering: usage.rendering,
});
