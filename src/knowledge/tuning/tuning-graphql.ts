import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  SpendsBudget,
  Needs,
  cost,
  IDEMPOTENCY_KEY,
  MaxItems,
  runGraph,
  runObject,
  type GraphContext,
  recordType,
} from '../../graphql-kit/index.js';
import { Collection, loadCollection, type KnowledgeStores } from '../collection-graphql.js';
import { TUNING_LIMITS, type RetrievalTuner } from './retrieval-tuner.js';
import { retrievalTuning, TuningSource, tuningResult } from './tuning-run.js';

registerEnumType(TuningSource, {
  name: 'TuningSource',
  description: 'Where the questions came from that a weight was chosen on.',
  valuesConfig: {
    LABELLED: { description: 'They were sent, with what answers them.' },
    CLOZE: {
      description:
        'Sentences of the collection’s own passages, without the rarer half of their words; each asks for its passage.',
    },
  },
});

export const retrievalTuningRuns = runGraph(
  retrievalTuning.handledBy(({ tuner }: { tuner: RetrievalTuner }, context) => tuner.tune(context)),
);
const RetrievalTuningRun = retrievalTuningRuns.Run;
type RetrievalTuningRun = InstanceType<typeof RetrievalTuningRun>;

@InputType({ description: 'A question, and what answers it.' })
export class LabelledQuestionInput {
  @Field(() => String, { description: 'As a reader would ask it; at most 2,000 characters.' })
  question!: string;

  @Field(() => String, { description: 'Name of the document that answers it.' })
  document!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Words of the passage that answers it, exactly as in `Chunk.text`; at most 2,000 characters. Without it any passage of the document counts.',
  })
  quote?: string | null;
}

@InputType({ description: 'On which questions a collection’s weight is chosen.' })
export class TuneRetrievalInput {
  @Field(() => String, { description: 'Name of the collection.' })
  collection!: string;

  @Field(() => [LabelledQuestionInput], {
    nullable: true,
    description:
      '20 to 1,000 questions with what answers them: half of them choose, the other half checks. Without any, questions are made of the collection’s own passages.',
  })
  @MaxItems(TUNING_LIMITS.questions)
  questions?: LabelledQuestionInput[] | null;

  @Field(() => Int, {
    defaultValue: 200,
    description: 'How many passages questions are made of where none are sent, 20 to 1,000.',
  })
  sample!: number;

  @Field(() => Int, { defaultValue: 1, description: 'Of the draw: the same seed draws the same passages and halves.' })
  seed!: number;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

const TuneRetrievalPayload = retrievalTuningRuns.payload(
  'TuneRetrievalPayload',
  'The run that chooses a weight.',
  'It goes on by itself; search uses the old weight until it is done.',
);
type TuneRetrievalPayload = InstanceType<typeof TuneRetrievalPayload>;

const RetrievalTuningResult = recordType(tuningResult);
type RetrievalTuningResult = InstanceType<typeof RetrievalTuningResult>;

export interface TuningResolverParts {
  tuner: RetrievalTuner;
  stores: KnowledgeStores;
}

@Resolver(() => RetrievalTuningRun)
export class RetrievalTuningResolver {
  constructor(private readonly parts: TuningResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => TuneRetrievalPayload, {
    description:
      'Chooses how much meaning counts against words in hybrid searches of a collection, as a run: on labelled questions, or on ones that are made of its own passages. To set a weight by hand, `setDenseWeight`.',
    complexity: cost(20),
  })
  async tuneRetrieval(
    @Arg('input', () => TuneRetrievalInput, { description: 'Which collection, on which questions.' })
    { questions = null, ...input }: TuneRetrievalInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<TuneRetrievalPayload> {
    return { run: runObject(await this.parts.tuner.start(workspaceId, { ...input, questions })) };
  }

  @FieldResolver(() => Collection, {
    nullable: true,
    description: 'The collection; null when it was deleted.',
    complexity: cost(2),
  })
  async collection(@Root() { row }: RetrievalTuningRun, @Ctx() context: GraphContext): Promise<Collection | null> {
    return row.subjectId === null ? null : loadCollection(context, this.parts.stores, row.subjectId);
  }

  @FieldResolver(() => RetrievalTuningResult, {
    nullable: true,
    description: 'What came of it; null until the run succeeded.',
  })
  result(@Root() { row }: RetrievalTuningRun): RetrievalTuningResult | null {
    return retrievalTuning.outputOf(row);
  }
}
