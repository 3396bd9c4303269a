import { spend } from '../../platform/spending/index.js';
import { charging, type CallOptions, type WorkerClient } from '../../platform/worker/index.js';
import type { GenerateEvent, GenerateRequest, NextScores, ScoreNextRequest } from '../../worker-protocol/index.js';
import type { Engine } from './engine.js';
import { NoEngine } from './fleet.js';

/**
 * The worker with a fleet before it: what engines can serve they answer, everything else the worker does. It also answers while an
 * engine's adapter is being loaded, and when every engine failed before its first word. What engines read and write is charged as what the
 * worker does, which charges its own.
 */
export function withFleet(worker: WorkerClient, fleet: Engine): WorkerClient {
  const answering: Engine = {
    generate: (request, options) => generate(worker, fleet, request, options),
    scoreNext: (request, options) => scoreNext(worker, fleet, request, options),
  };
  return new Proxy(worker, {
    get(target, name) {
      if (name === 'generate' || name === 'scoreNext') return answering[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

async function* generate(
  worker: Engine,
  fleet: Engine,
  request: GenerateRequest,
  options?: CallOptions,
): AsyncGenerator<GenerateEvent, void, undefined> {
  try {
    yield* charging(fleet.generate(request, options));
  } catch (error) {
    if (!(error instanceof NoEngine)) throw error;
    yield* worker.generate(request, { ...options, deadlineMs: error.leftMs });
  }
}

async function scoreNext(
  worker: Engine,
  fleet: Engine,
  request: ScoreNextRequest,
  options?: CallOptions,
): Promise<NextScores> {
  try {
    const scores = await fleet.scoreNext(request, options);
    spend(scores.promptTokens);
    return scores;
  } catch (error) {
    if (!(error instanceof NoEngine)) throw error;
    return worker.scoreNext(request, { ...options, deadlineMs: error.leftMs });
  }
}
