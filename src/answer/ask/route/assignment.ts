import { badInput, isGraftError, type GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { SearchScope } from '../../../sources/knowledge/index.js';
import { parseAdapterReference, type WordingChoice } from '../../../sources/registry/index.js';
import type { Assignment, RouteDecision } from '../answer.js';
import type { Generation, Question } from '../question.js';
import { STRATEGIES, type Strategy } from '../strategies.js';

/** How an arm answers: what is null is as `ask` would have it. */
export interface Arm {
  strategy: Strategy | null;
  /** `name@3`. */
  adapter: string | null;
  /** `name` or `name@quantization`. */
  model: string | null;
  /** Share of the dense score in a hybrid one, 0 to 1, in whatever is read. */
  denseWeight: number | null;
  /** Whose words an answer from documents has. */
  wording: WordingChoice | null;
  generation: Partial<Generation> | null;
}

/** Changes nothing. */
export const AS_ASKED: Arm = {
  strategy: null,
  adapter: null,
  model: null,
  denseWeight: null,
  wording: null,
  generation: null,
};

/** A place in an experiment or a rollout, and what follows from it. */
export interface Drawn {
  assignment: Assignment;
  change: Arm;
}

/** What a draw changes. */
export const changeOf = (draw: Drawn | null): Arm => draw?.change ?? AS_ASKED;

/** What a draw depends on. */
export interface Asker {
  /** Who asks: equal units get equal arms. null: every request is drawn anew. */
  unit: string | null;
  /** The unit of a request whose caller named none. */
  requestKey: string;
  /** The arm that a tester wants; null: drawn. */
  forceArm: string | null;
}

/** Who tries something on users. It stands in a later chapter, and enters itself with `AskService.assignBy`. */
export interface Assigner {
  /**
   * From memory alone, well under 0.2 ms.
   * @param adapter whose production version would answer; null: the choice is still Graft’s own
   */
  assign(workspaceId: WorkspaceId, adapter: string | null, asker: Asker): Drawn | null;
}

/** Who is asked for a draw, and for whom; null where nothing is tried. */
export interface Drawing extends Asker {
  assigner: Assigner;
}

/** The draw of a question before anything is looked up for it: what it names, or leaves open. */
export function drawBefore(workspaceId: WorkspaceId, question: Question, drawing: Drawing | null): Drawn | null {
  if (drawing === null) return null;
  const { strategy, model, dataset } = question;
  if (strategy === 'AUTO')
    return model === null && dataset === null ? drawing.assigner.assign(workspaceId, null, drawing) : null;
  const adapter = productionOf(question.adapter);
  return adapter === null || !STRATEGIES[strategy].adapts
    ? null
    : drawing.assigner.assign(workspaceId, adapter, drawing);
}

/**
 * The draw of a question that the router gave to an adapter’s production version.
 * @throws BAD_USER_INPUT where the arm that was asked for is nowhere to be had
 */
export function drawAfter(
  workspaceId: WorkspaceId,
  draw: Drawn | null,
  routedTo: string | null,
  drawing: Drawing | null,
): Drawn | null {
  if (drawing === null || draw !== null) return draw;
  const [adapter = ''] = routedTo?.split('@') ?? [];
  const newDraw = routedTo === null ? null : drawing.assigner.assign(workspaceId, adapter, drawing);
  if (newDraw === null && drawing.forceArm !== null) throw noSuchArm(drawing.forceArm);
  return newDraw;
}

export const noSuchArm = (arm: string): GraftError =>
  badInput(
    'input.forceArm',
    `No running experiment or rollout that this question is part of has the arm ${JSON.stringify(arm)}.`,
    'Leave it out, or name one of the arms that experiments and rollouts list.',
  );

/** Whether a reference means what production names. */
function productionOf(reference: string | null): string | null {
  if (reference === null) return null;
  const { name, which } = parseAdapterReference(reference, 'input.adapter');
  return 'alias' in which && which.alias === 'production' ? name : null;
}

/** The question as an arm puts it. */
export const asDrawn = (question: Question, { strategy, adapter, model, wording, generation }: Arm): Question => ({
  ...question,
  strategy: strategy ?? question.strategy,
  adapter: strategy !== null && !STRATEGIES[strategy].adapts ? null : (adapter ?? question.adapter),
  model: model ?? question.model,
  wording: wording ?? question.wording,
  generation: { ...question.generation, ...generation },
});

/** What is read, fused as an arm has it. */
export const fusedAs = (scope: SearchScope | null, { denseWeight }: Arm): SearchScope | null =>
  scope === null || denseWeight === null
    ? scope
    : { ...scope, collections: scope.collections.map((collection) => ({ ...collection, denseWeight })) };

/** The decision with what an arm changed of it, and why. */
export function drawnRoute(route: RouteDecision, draw: Drawn | null): RouteDecision {
  if (draw === null) return route;
  const { assignment, change } = draw;
  const { kind, arm, probability, forced } = assignment;
  const test = kind === 'ROLLOUT' ? 'A rollout' : 'An experiment';
  const sentence = forced
    ? `${test} was asked for its arm ${arm}.`
    : `${test} drew the arm ${arm}, with a probability of ${probability.toFixed(3)}.`;
  const chooses = change.strategy !== null || change.adapter !== null;
  const reason = { feature: `${kind.toLowerCase()}.arm`, value: probability, contribution: chooses ? 1 : 0, sentence };
  return {
    ...route,
    strategy: change.strategy ?? route.strategy,
    ...(chooses && { chosenBy: kind }),
    reasons: [reason, ...route.reasons],
  };
}

/** Whether an arm’s version or model is gone, which nobody asked for: then the question is answered as if nothing were tried. */
export const isGone = (error: unknown, draw: Drawn | null): draw is Drawn =>
  draw !== null &&
  !draw.assignment.forced &&
  (draw.change.adapter !== null || draw.change.model !== null) &&
  isGraftError(error, 'NOT_FOUND');

/** What tests and monitoring read of an answer without opening it. */
export interface AnswerMeasures {
  assignment: Assignment | null;
  /** From the question’s arrival, in ms. */
  latencyMs: number;
}
