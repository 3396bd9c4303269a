import { dot } from './vectors.js';

/** A function's value at `at`; its gradient is written into `gradient`. */
type Objective = (at: Float64Array, gradient: Float64Array) => number;

/** The objective of a function whose gradient nobody wrote down, by central differences: for few variables. */
export const byDifferences =
  (value: (at: Float64Array) => number, step = 1e-4): Objective =>
  (point, gradient) => {
    for (let i = 0; i < point.length; i++) {
      const [upper, down] = [point.slice(), point.slice()];
      upper[i]! += step;
      down[i]! -= step;
      gradient[i] = (value(upper) - value(down)) / (2 * step);
    }
    return value(point);
  };

const MEMORY = 10;
/** Armijo's constant: a step must lower the function by this share of what the slope promises. */
const SUFFICIENT = 1e-4;
const MOST_HALVINGS = 30;

/**
 * The minimum of a smooth convex function by L-BFGS (Nocedal & Wright 2006, algorithm 7.5), with a step that is halved until it lowers
 * the function enough. Starts at `start`, which is not changed.
 * @param tolerance ends when no part of the gradient is larger
 */
export function minimize(
  objective: Objective,
  start: Float64Array,
  { steps = 200, tolerance = 1e-5 }: { steps?: number; tolerance?: number } = {},
): Float64Array {
  const size = start.length;
  let point = start.slice();
  let gradient = new Float64Array(size);
  let value = objective(point, gradient);
  const pairs: Pair[] = [];
  for (let step = 0; step < steps && largest(gradient) > tolerance; step++) {
    const direction = towards(gradient, pairs);
    const slope = dot(direction, gradient);
    let length = pairs.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1;
    const next = new Float64Array(size);
    const nextGradient = new Float64Array(size);
    let nextValue = Infinity;
    for (let halving = 0; halving < MOST_HALVINGS; halving++, length /= 2) {
      for (let i = 0; i < size; i++) next[i] = point[i]! + length * direction[i]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + SUFFICIENT * length * slope) break;
    }
    // Rounding leaves nothing to gain.
    if (!(nextValue < value)) break;
    remember(pairs, difference(next, point), difference(nextGradient, gradient));
    [point, gradient, value] = [next, nextGradient, nextValue];
  }
  return point;
}

/** A step and how it changed the gradient. */
interface Pair {
  step: Float64Array;
  change: Float64Array;
  /** 1 / (step . change) */
  rho: number;
}

function remember(pairs: Pair[], step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (curvature <= 0) return;
  pairs.push({ step, change, rho: 1 / curvature });
  if (pairs.length > MEMORY) pairs.shift();
}

/** The two loops: minus the approximate inverse Hessian times the gradient. */
function towards(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = gradient.map((value) => -value);
  const alphas = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, rho } = pairs[i]!;
    alphas[i] = rho * dot(step, q);
    add(q, change, -alphas[i]!);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.change, last.change));
    for (let i = 0; i < q.length; i++) q[i]! *= scale;
  }
  pairs.forEach(({ step, change, rho }, i) => add(q, step, alphas[i]! - rho * dot(change, q)));
  return q;
}

function add(to: Float64Array, step: Float64Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += times * step[i]!;
}

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]!);

function largest(values: Float64Array): number {
  let maximum = 0;
  for (const value of values) maximum = Math.max(maximum, Math.abs(value));
  return maximum;
}
