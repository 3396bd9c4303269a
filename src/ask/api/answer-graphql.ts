import {
  createUnionType,
  Field,
  FieldResolver,
  Float,
  ID,
  Int,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
  Ctx,
} from 'type-graphql';
import { EntityType, TaskKind, type Entity } from '../../data/index.js';
import { cost, DateTime, make, NodeType, toGlobalId, type GraphContext, recordType } from '../../graphql-kit/index.js';
import { Chunk, loadChunk, type KnowledgeStores } from '../../knowledge/index.js';
import { loadVariant, ModelVariant, type ModelRegistry } from '../../registry/index.js';
import {
  AbstentionReason,
  AnswerBasis,
  basisOf,
  confidenceOf,
  FinishReason,
  Wording,
  type AdapterUsed,
  type Answer as AnswerRecord,
  type Assignment,
  abstention,
  promptPassage,
  featureUsed,
  tokenUsage,
  stageTiming,
  answerCost,
  configuration,
} from '../answer.js';
import { LabelledNeighbour } from './neighbour-graphql.js';
import { Citation, Conflict, Evidence, GONE } from './quotation-graphql.js';
import { RouteDecision } from './route-graphql.js';

registerEnumType(AbstentionReason, {
  name: 'AbstentionReason',
  description: 'Why no answer is given.',
  valuesConfig: {
    NO_DOCUMENTS: { description: 'There is no document to answer from.' },
    NOTHING_FOUND: { description: 'No passage matches the question at all.' },
    LOW_RELEVANCE: { description: 'What comes closest does not answer the question.' },
    LOW_CONFIDENCE: {
      description: 'The answer, or the label, is less probable than `minConfidence`, or than its default.',
    },
    MODEL_DECLINED: {
      description: 'The model found no answer in what it was given, or said nothing where nothing could be quoted.',
    },
    UNPROVEN: { description: 'Nothing shows that `maxErrorRate` is kept by what would answer.' },
    FOREIGN: { description: 'The message is unlike those that the adapter learned from; see `maxOwnRefused`.' },
    OUT_OF_SCOPE: {
      description:
        'The question is foreign to every document and every adapter in production, and the workspace doesn’t let the base model answer such a one (`setBaseAnswers`).',
    },
  },
});

registerEnumType(Wording, {
  name: 'Wording',
  description: 'Where the text of an answer comes from.',
  valuesConfig: {
    MODEL: { description: 'The model’s words; with RAG each of them stands in the evidence or in the question.' },
    EVIDENCE: {
      description:
        'The best sentence of the documents, because the model words answers worse than that (`AskInput.wording`) or the evidence did not support its words; or the label of the nearest labelled rows.',
    },
    ABSTENTION: { description: 'A sentence that says why there is no answer.' },
  },
});

registerEnumType(AnswerBasis, {
  name: 'AnswerBasis',
  description: 'What an answer rests on.',
  valuesConfig: {
    DOCUMENTS: { description: 'Passages of documents, which it cites.' },
    LABELLED_ROWS: { description: 'Labelled rows, alone or together with an adapter.' },
    ADAPTER: { description: 'An adapter in production or one that was named, from the question alone.' },
    BASE_MODEL: {
      description: 'Nothing but the base model’s own words: there is no evidence for them, and they may be invented.',
    },
    NOTHING: { description: 'There is no answer: see `abstention`.' },
  },
});

registerEnumType(FinishReason, {
  name: 'FinishReason',
  description: 'What ended the model’s words.',
  valuesConfig: {
    END: { description: 'The model itself.' },
    LENGTH: {
      description: '`maxTokens`, or the end of what the model can read at once: the last sentence may be cut.',
    },
    REPEATED: {
      description:
        'It said the same over and over and was stopped. The best sentence of the documents then is the answer, or what was said before where there is none.',
    },
  },
});

@ObjectType({ description: 'An answer in words.' })
export class TextOutput {
  @Field(() => String, { description: 'The same as `Answer.text`.' })
  text!: string;
}

@ObjectType({ description: 'A label and how probable it is.' })
export class LabelProbability {
  @Field(() => String, { description: 'The label, as the dataset writes it.' })
  label!: string;

  @Field(() => Float, { description: 'Its probability among the labels of the set, 0 to 1.' })
  probability!: number;
}

@ObjectType({ description: 'An answer as one label of a set.' })
export class LabelOutput {
  @Field(() => String, { description: 'The label, as the dataset writes it; the same as `Answer.text`.' })
  label!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Its probability among the labels of the set, 0 to 1; null where the label was written as text.',
  })
  probability!: number | null;

  @Field(() => [LabelProbability], {
    description: 'At most ten other labels, most probable first; empty where none has a probability.',
  })
  alternatives!: LabelProbability[];
}

@ObjectType({ description: 'An answer as the named entities of the text that was asked about.' })
export class EntitiesOutput {
  @Field(() => [EntityType], {
    description: 'The entities in the order of the text; offsets are into `Answer.question`.',
  })
  entities!: Entity[];
}

const AnswerOutput = createUnionType({
  name: 'AnswerOutput',
  description: 'An answer in the form of its task; `Answer.text` is always there.',
  types: () => [TextOutput, LabelOutput, EntitiesOutput] as const,
});

const SHOWN_ALTERNATIVES = 10;

function toOutput({ output, text }: AnswerRecord): typeof AnswerOutput {
  switch (output.kind) {
    case 'TEXT':
      return make(TextOutput, { text });
    case 'ENTITIES':
      return make(EntitiesOutput, { entities: output.entities });
    case 'LABEL': {
      const { label, probabilities } = output;
      const others = probabilities.filter((each) => each.label !== label).sort((a, b) => b.probability - a.probability);
      return make(LabelOutput, {
        label,
        probability: probabilities.find((each) => each.label === label)?.probability ?? null,
        alternatives: others.slice(0, SHOWN_ALTERNATIVES),
      });
    }
  }
}

@ObjectType({ description: 'The adapter that acted on the model when it answered.' })
export class AppliedAdapter {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Int, { description: 'Number of the version that answered.' })
  versionNumber!: number;

  @Field(() => String, { description: 'SHA-256 of the LoRA file that the worker applied, 64 hexadecimal digits.' })
  digest!: string;

  @Field(() => Float, { description: 'What its effect was multiplied by.' })
  scale!: number;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether the version had been shown to act when it answered: a version that is named by number answers before that, too. Null for answers that were recorded before this was.',
  })
  attested!: boolean | null;

  versionId!: string;
}

const Abstention = recordType(abstention);
type Abstention = InstanceType<typeof Abstention>;
const PromptPassage = recordType(promptPassage);
type PromptPassage = InstanceType<typeof PromptPassage>;
const FeatureUsed = recordType(featureUsed);
type FeatureUsed = InstanceType<typeof FeatureUsed>;
const TokenUsage = recordType(tokenUsage);
type TokenUsage = InstanceType<typeof TokenUsage>;
const StageTiming = recordType(stageTiming);
type StageTiming = InstanceType<typeof StageTiming>;
const Cost = recordType(answerCost);
type Cost = InstanceType<typeof Cost>;
const Configuration = recordType(configuration);
type Configuration = InstanceType<typeof Configuration>;

@ObjectType({ implements: NodeType, description: 'An answer to a question, as it was recorded.' })
export class Answer extends NodeType {
  @Field(() => String, { description: 'What was asked, after its pre-processing.' })
  question!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'What was answered in the end, where the question followed others of its conversation: behind those that it follows. Null where it stands for itself, and where one of those was deleted since.',
  })
  askedAs!: string | null;

  @Field(() => String, { description: 'The answer in words, or the sentence that says why there is none.' })
  text!: string;

  @Field(() => AnswerOutput, { description: 'The answer in the form of its task.' })
  output!: typeof AnswerOutput;

  @Field(() => TaskKind, {
    description:
      'What kind of answer it is: that of the adapter or the labelled rows, else what the caller asked for, else `QUESTION_ANSWERING`.',
  })
  task!: TaskKind;

  @Field(() => Float, {
    nullable: true,
    description:
      'Estimated probability that it is right, 0 to 1: that of its label, else its `answerability`; null where nothing can tell.',
  })
  confidence!: number | null;

  @Field(() => Wording, { description: 'Where the text comes from.' })
  wording!: Wording;

  @Field(() => AnswerBasis, { description: 'What it rests on.' })
  basis!: AnswerBasis;

  @Field(() => FinishReason, {
    nullable: true,
    description: 'What ended the model’s words, also where others took their place; null when it wrote none.',
  })
  finishReason!: FinishReason | null;

  @Field(() => Boolean, { description: 'Whether no answer was given.' })
  abstained!: boolean;

  @Field(() => Abstention, { nullable: true, description: 'Why none was given; null when one was.' })
  abstention!: Abstention | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Estimated probability that what was read holds the answer, 0 to 1: with `HYBRID` by the adapter that read it, with `RAG` by a rule; where the reader that comes with Graft judged the sentences, as `HYBRID`’s adapter or where `AUTO` chose `RAG`, by that (the route’s reasons say so); null where nothing was read.',
  })
  answerability!: number | null;

  @Field(() => [Evidence], {
    description:
      'At most three sentences that may hold the answer, best first; empty with `BASE`. Also there when no answer was given: the closest.',
  })
  evidence!: Evidence[];

  @Field(() => [Conflict], {
    description:
      'At most three places where sentences that match the question give different values for the same thing; the answer follows one of them. Empty when none was noticed, which is no proof that there is none.',
  })
  conflicts!: Conflict[];

  @Field(() => [Citation], {
    description:
      'The sentences that the text rests on, strongest first; empty with `BASE` and when no answer was given.',
  })
  citations!: Citation[];

  @Field(() => RouteDecision, { description: 'How it was decided what to answer with.' })
  route!: RouteDecision;

  @Field(() => String, { description: 'SHA-256 of the model file that answered, 64 hexadecimal digits.' })
  modelDigest!: string;

  @Field(() => AppliedAdapter, {
    nullable: true,
    description: 'The adapter that answered; null where the base model answered alone.',
  })
  adapter!: AppliedAdapter | null;

  @Field(() => [PromptPassage], {
    description: 'The retrieved passages, strongest first, and which of them the answer was made from.',
  })
  passages!: PromptPassage[];

  @Field(() => [FeatureUsed], { description: 'What the feature views that the question named said, in their order.' })
  features!: FeatureUsed[];

  @Field(() => [LabelledNeighbour], {
    description: 'The labelled rows that the answer was read from, nearest first; empty where it was read from none.',
  })
  neighbours!: LabelledNeighbour[];

  @Field(() => TokenUsage, { description: 'Tokens of the model.' })
  usage!: TokenUsage;

  @Field(() => [StageTiming], { description: 'Where the time went, in order.' })
  stages!: StageTiming[];

  @Field(() => Cost, { description: 'What it cost.' })
  cost!: Cost;

  @Field(() => Configuration, { description: 'What produced it.' })
  configuration!: Configuration;

  @Field(() => ID, { description: 'The request id that it was asked under, or the one that Graft made up.' })
  requestId!: string;

  @Field(() => ID, { nullable: true, description: 'The conversation that it was asked in; null without one.' })
  conversationId!: string | null;

  @Field(() => DateTime, { description: 'When it was asked.' })
  createdAt!: Date;

  rowId!: string;
  variantId!: string;
  assignment!: Assignment | null;
}

const toAppliedAdapter = ({ versionId, name, version, sha256, scale, attested }: AdapterUsed): AppliedAdapter =>
  make(AppliedAdapter, { versionId, name, versionNumber: version, digest: sha256, scale, attested: attested ?? null });

export const toAnswer = (record: AnswerRecord): Answer =>
  make(Answer, {
    id: toGlobalId('Answer', record.id),
    question: record.question,
    askedAs: record.askedAs ?? null,
    text: record.text,
    output: toOutput(record),
    task: record.task,
    confidence: confidenceOf(record),
    wording: record.wording,
    basis: basisOf(record),
    finishReason: record.finishReason,
    abstained: record.abstention !== null,
    abstention: record.abstention,
    answerability: record.answerability,
    evidence: record.evidence,
    conflicts: record.conflicts,
    citations: record.citations,
    route: record.route,
    modelDigest: record.variant.sha256,
    adapter: record.adapter && toAppliedAdapter(record.adapter),
    passages: record.passages,
    features: record.features,
    neighbours: record.neighbours,
    usage: record.usage,
    stages: record.stages,
    cost: record.cost,
    configuration: record.configuration,
    requestId: record.requestId,
    conversationId: record.conversationId,
    createdAt: record.createdAt,
    rowId: record.id,
    variantId: record.variant.id,
    assignment: record.assignment,
  });

@Resolver(() => Answer)
export class AnswerResolver {
  constructor(private readonly parts: { registry: ModelRegistry }) {}

  @FieldResolver(() => ModelVariant, { description: 'The model that answered, or would have.', complexity: cost(2) })
  model(@Root() answer: Answer, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return loadVariant(context, this.parts.registry, answer.variantId);
  }
}

@Resolver(() => PromptPassage)
export class PromptPassageResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Chunk, { nullable: true, description: `The passage; ${GONE}`, complexity: cost(2) })
  chunk(@Root() passage: PromptPassage, @Ctx() context: GraphContext): Promise<Chunk | null> {
    return loadChunk(context, this.parts.stores, passage.chunkId);
  }
}
