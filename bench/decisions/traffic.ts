import { listOption } from '../support/options.js';
import { seededRandom } from '../../src/kernel/random.js';

/** How questions come in. */
const KINDS = ['independent', 'repeating users', 'sessions', 'day and night'] as const;
export type Traffic = (typeof KINDS)[number];
const only = listOption('traffic');
/** Those that are asked for; all by default. */
export const TRAFFIC = KINDS.filter((kind) => only === null || only.includes(kind));

/** Shares of the answers of which somebody says whether they are right. */
export const JUDGED = [1, 0.2, 0.05] as const;

export interface Question {
  /** ms since the first. */
  at: number;
  /** Who asks: what assignments are drawn by. */
  unit: string;
  /** Questions of one conversation. */
  conversation: string;
  /** How much easier than the average it is: added to the rate of right answers. */
  ease: number;
  /** Whether somebody says if the answer is right. */
  judged: boolean;
  /** 0 to below 1: an answer with this rate of right ones is right below it. Both arms of a pair share it. */
  chance: number;
}

export interface TrafficOptions {
  seed: number;
  /** Share of the answers that are judged, 0 to 1; all by default. */
  judged?: number;
  /** Of repeating users; 100 by default. */
  users?: number;
  /** Users and sessions differ in ease by as much either way; .2 by default. */
  spread?: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Questions of a session, mean. */
const SESSION = 5;
/** At night a third as many questions come, and they are harder. */
const NIGHT = { hours: 8, gap: 3, ease: -0.25 };

/**
 * Questions without an end, the same for the same seed: each of its own user (`independent`), of a few users who come back and differ,
 * of sessions of five on average that differ, or easier by day than at night.
 */
export function* questions(
  traffic: Traffic,
  { seed, judged = 1, users = 100, spread = 0.2 }: TrafficOptions,
): Generator<Question> {
  const random = seededRandom(seed);
  const between = (): number => spread * (2 * random() - 1);
  const eases = Array.from({ length: users }, between);
  let session = { number: 0, ease: between() };
  for (let [number, at] = [0, 0]; ; number++) {
    // One object of one shape a question: a run makes hundreds of millions.
    const question: Question = { at, unit: '', conversation: '', ease: 0, judged: random() < judged, chance: random() };
    switch (traffic) {
      case 'independent':
        question.unit = `${seed}-${number}`;
        break;
      case 'repeating users': {
        const user = Math.floor(random() * users);
        question.unit = `${seed}-user-${user}`;
        question.ease = eases[user]!;
        question.conversation = `${seed}-${number}`;
        break;
      }
      case 'sessions':
        if (random() < 1 / SESSION) session = { number: session.number + 1, ease: between() };
        question.unit = `${seed}-session-${session.number}`;
        question.ease = session.ease;
        break;
      case 'day and night':
        question.unit = `${seed}-${number}`;
        question.ease = isNight(at) ? NIGHT.ease : 0;
    }
    question.conversation ||= question.unit;
    yield question;
    at += MINUTE_MS * (traffic === 'day and night' && isNight(at) ? NIGHT.gap : 1);
  }
}

const isNight = (at: number): boolean => at % DAY_MS < (NIGHT.hours / 24) * DAY_MS;

/** Whether an answer of an arm that gives right answers at this rate is right. */
export const isRight = ({ ease, chance }: Question, rate: number): boolean =>
  chance < Math.min(1, Math.max(0, rate + ease));
