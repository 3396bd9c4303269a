import type { TaskKind } from '../../../sources/data/index.js';
import { badInput } from '../../../kernel/errors.js';
import type { Strategy } from '../strategies.js';

/** Which answers; conditions add up. */
export interface AnswerFilter {
  strategy?: Strategy | null;
  abstained?: boolean | null;
  conversationId?: string | null;
  /** Row id of the version that answered. */
  adapterVersionId?: string | null;
  task?: TaskKind | null;
  /** Whether somebody said something of it that stands. */
  hasFeedback?: boolean | null;
  /** Whether feedback says that the answer is wrong, or feedback contradicts feedback. */
  disagrees?: boolean | null;
  /** Only answers whose confidence is known and lower, 0 to 1. */
  confidenceBelow?: number | null;
  /** Asked then or later. */
  from?: Date | null;
  /** Asked before. */
  to?: Date | null;
  sample?: AnswerSample | null;
  /** Only what was drawn into this experiment or rollout, and into this arm of it. */
  drawn?: { subjectId: string; arm: string | null } | null;
}

/** A draw that is the same whenever it is repeated, whatever was answered since. */
interface AnswerSample {
  /** Share of the answers, above 0 to 1. */
  rate: number;
  seed: number;
}

/** @throws BAD_USER_INPUT for what no answer can meet */
export function checkedFilter(filter: AnswerFilter): AnswerFilter {
  const { confidenceBelow, from, to, sample } = filter;
  // The database keeps single precision, in which less than 1e-45 is no number.
  if (typeof confidenceBelow === 'number' && !(Math.fround(confidenceBelow) > 0 && confidenceBelow <= 1))
    throw badInput('filter.confidenceBelow', `confidenceBelow must be above 0 and at most 1, not ${confidenceBelow}.`);
  if (from && to && from >= to) throw badInput('filter.to', 'to must be later than from.');
  if (sample && !(sample.rate > 0 && sample.rate <= 1))
    throw badInput('filter.sample.rate', `rate must be above 0 and at most 1, not ${sample.rate}.`);
  if (sample && !Number.isInteger(sample.seed))
    throw badInput('filter.sample.seed', `seed must be a whole number, not ${sample.seed}.`);
  return filter;
}

/** 32 bits of MD5 over id and seed, as SQL: equally likely, and the same on every server. */
export const randomNumber = (id: string, seed: string): string =>
  `('x' || left(md5(${id}::text || ' ' || ${seed}::text), 8))::bit(32)::bigint`;

/** The filter as SQL conditions on `answer`, whose values are numbered from `first` on. */
export function conditionsOf(filter: AnswerFilter, first: number): { where: string[]; values: unknown[] } {
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (value: unknown, condition: (place: string) => string): void => {
    if (value === null || value === undefined) return;
    values.push(value);
    where.push(condition(`$${first + values.length - 1}`));
  };
  add(filter.strategy, (place) => `strategy = ${place}`);
  add(filter.abstained, (place) => `abstained = ${place}`);
  add(filter.conversationId, (place) => `conversation_id = ${place}`);
  add(filter.adapterVersionId, (place) => `adapter_version_id = ${place}`);
  add(filter.task, (place) => `task = ${place}`);
  add(filter.confidenceBelow, (place) => `confidence < ${place}`);
  add(filter.from, (place) => `created_at >= ${place}`);
  add(filter.drawn?.subjectId, (place) => `assignment_subject = ${place}`);
  add(filter.drawn?.arm, (place) => `assignment_arm = ${place}`);
  add(filter.to, (place) => `created_at < ${place}`);
  // Spelled as the partial index of answers with feedback is.
  const { hasFeedback, disagrees, sample } = filter;
  if (hasFeedback === true || disagrees === true) where.push('feedback_count > 0');
  if (hasFeedback === false) where.push('feedback_count = 0');
  if (disagrees === true) where.push('(feedback_wrong > 0 OR disputed)');
  if (disagrees === false) where.push('feedback_wrong = 0 AND NOT disputed');
  if (sample) {
    values.push(String(sample.seed), Math.round(sample.rate * 2 ** 32));
    const [seed, bound] = [first + values.length - 2, first + values.length - 1];
    where.push(`${randomNumber('id', `$${seed}`)} < $${bound}::bigint`);
  }
  return { where, values };
}
