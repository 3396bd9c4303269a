import type { TrainingProgressSubscription } from '../../generated/operations';
import type { Series } from '../../parts/charts/chart';

export type TrainingEvent = TrainingProgressSubscription['trainingProgress'];
export type Step = Extract<TrainingEvent, { __typename: 'TrainingStepped' }>;
export type Look = Extract<TrainingEvent, { __typename: 'TrainingValidated' }>;
export type Audit = Extract<TrainingEvent, { __typename: 'TrainingAudited' }>;

/** What a run has told so far, in the order of its steps. */
export interface Curve {
  audit: Audit | null;
  steps: readonly Step[];
  looks: readonly Look[];
}

export const EMPTY: Curve = { audit: null, steps: [], looks: [] };

/** A run that was killed takes steps again from its checkpoint on: what it tells the second time replaces the first. */
function put<T extends { step: number }>(points: T[], point: T): void {
  while (points.length > 0 && points.at(-1)!.step >= point.step) points.pop();
  points.push(point);
}

/** The curve with what came since, which may be thousands of events at once. */
export function extend(curve: Curve, events: readonly TrainingEvent[]): Curve {
  let { audit } = curve;
  const [steps, looks] = [[...curve.steps], [...curve.looks]];
  for (const event of events) {
    if (event.__typename === 'TrainingAudited') audit = event;
    if (event.__typename === 'TrainingStepped') put(steps, event);
    if (event.__typename === 'TrainingValidated') put(looks, event);
  }
  return { audit, steps, looks };
}

/** A line of one run: at which steps it has which values. */
export interface Line {
  label: string;
  points: readonly { step: number; value: number | null }[];
}

/**
 * Lines over one axis of steps: those that any of them has. One walk through all of them that makes nothing on its way, as
 * live runs of ten thousand steps are drawn ten times a second.
 */
export function overlay(lines: readonly Line[]): { x: number[]; series: Series[] } {
  const x: number[] = [];
  const positions = lines.map(() => 0);
  const values = lines.map((): (number | null)[] => []);
  for (;;) {
    let step = Infinity;
    for (let i = 0; i < lines.length; i += 1) step = Math.min(step, lines[i]!.points[positions[i]!]?.step ?? Infinity);
    if (step === Infinity) break;
    x.push(step);
    for (let i = 0; i < lines.length; i += 1) {
      const point = lines[i]!.points[positions[i]!];
      const hasPoint = point?.step === step;
      values[i]!.push(hasPoint ? point.value : null);
      if (hasPoint) positions[i]! += 1;
    }
  }
  return { x, series: lines.map(({ label }, i) => ({ label, values: values[i]! })) };
}
