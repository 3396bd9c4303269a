import { Field, Float, ID, InputType } from 'type-graphql';
import { TaskKind } from '../../data/index.js';
import { DateTime, fromGlobalId } from '../../graphql-kit/index.js';
import type { AnswerFilter, AnswerSample } from '../record/answer-filter.js';
import { Strategy } from '../strategies.js';

@InputType({ description: 'A share of the answers, drawn the same way whenever it is asked for.' })
export class SampleInput implements AnswerSample {
  @Field(() => Float, { description: 'Share of the answers, above 0 to 1.' })
  rate!: number;

  @Field(() => Float, { defaultValue: 1, description: 'A whole number: another one draws other answers.' })
  seed!: number;
}

@InputType('AnswerFilter', { description: 'Which answers to list; conditions add up.' })
export class AnswerFilterInput {
  @Field(() => Strategy, { nullable: true, description: 'Only those made with this strategy.' })
  strategy?: Strategy | null;

  @Field(() => Boolean, { nullable: true, description: 'Only those that abstained (true) or did not (false).' })
  abstained?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Only those of this conversation.' })
  conversationId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only those that this `AdapterVersion` gave.' })
  adapterVersion?: string | null;

  @Field(() => TaskKind, { nullable: true, description: 'Only those that are answers of this kind.' })
  task?: TaskKind | null;

  @Field(() => Boolean, { nullable: true, description: 'Only those with feedback (true) or without any (false).' })
  hasFeedback?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Only those whose feedback says that they are wrong, or contradicts itself (true), or those of which nothing says so (false).',
  })
  disagrees?: boolean | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Only those whose `confidence` is known and lower, above 0 to 1.',
  })
  confidenceBelow?: number | null;

  @Field(() => DateTime, { nullable: true, description: 'Only those that were asked then or later.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Only those that were asked before.' })
  to?: Date | null;

  @Field(() => SampleInput, { nullable: true, description: 'Only a share of those that meet all other conditions.' })
  sample?: SampleInput | null;
}

/** @throws BAD_USER_INPUT when a global id is malformed */
export function toFilter(input: AnswerFilterInput | null | undefined, field = 'filter'): AnswerFilter {
  const { adapterVersion, ...filter } = input ?? {};
  if (adapterVersion === null || adapterVersion === undefined) return filter;
  return { ...filter, adapterVersionId: fromGlobalId(adapterVersion, 'AdapterVersion', `${field}.adapterVersion`) };
}
