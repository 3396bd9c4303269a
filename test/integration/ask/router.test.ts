import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type RouterStore } from '../../../src/ask/index.js';
import { RouterFitter, routerFitRuns } from '../../../src/evaluation/index.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { newId } from '../../../src/kernel/ids.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { RunQueue } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { startAnswering, type Answering } from './answering.js';

jest.setTimeout(240_000);

/** Large enough that questions can be made of it: a few sentences calibrate nothing. */
const HANDBOOK = ['sensors.md', 'controls.md', 'support-hours.txt', 'faq-and-glossary.md'].map((name) => ({
  name,
  text: readFileSync(join(packageRoot(), 'examples', 'handbook', name), 'utf8'),
}));

describe('a fitted router', () => {
  let answering: Answering;
  let runs: RunQueue;
  let events: EventLog;
  let fitter: RouterFitter;

  beforeAll(async () => {
    answering = await startAnswering();
    const { database, data, adapters, retriever, worker, stores, registry, parts } = answering;
    events = new EventLog({ database, log: silentLogger() });
    runs = new RunQueue({
      ...{ database, events, clock: systemClock, log: silentLogger(), owner: newId(), pollMs: 50 },
      kinds: [routerFitRuns],
    });
    fitter = new RouterFitter({
      ...{ runs, registry, adapters, data, retriever, worker, documents: stores.documents },
      routers: parts.routers as RouterStore,
    });
    runs.handle([routerFitRuns], fitter);
    runs.start();
  });
  afterAll(async () => {
    await runs.stop();
    await events.close();
    await answering.stop();
  });

  const fit = async (mode: 'OBSERVE' | 'APPLY') =>
    answering.finished(await fitter.start(answering.workspaceId, { mode, seed: 1, idempotencyKey: newId() }), 200_000);
  const ask = (question: string) =>
    answering.service.tryOut(answering.caller, { question, strategy: 'AUTO' }, new AbortController().signal);

  it('says that there is nothing to choose between', async () => {
    expect(await fit('OBSERVE')).toMatchObject({ status: 'FAILED', errorCode: 'CONFLICT' });
    expect((await ask('How are you?')).route.router).toBeUndefined();
  });

  it('learns a collection from its own texts, and first only says what it would have chosen', async () => {
    await answering.collection('handbook');
    await answering.ingest('handbook', HANDBOOK);
    expect(await fit('OBSERVE')).toMatchObject({ status: 'SUCCEEDED', output: { version: 1 } });
    const { route } = await ask('Write a short poem about autumn.');
    expect(route).toMatchObject({ strategy: 'RAG', chosenBy: 'ROUTER', router: { version: 1, mode: 'OBSERVE' } });
    const sum = route.candidates.reduce((all, { probability }) => all + (probability ?? 0), 0);
    expect(sum).toBeCloseTo(1, 6);
    expect(route.reasons.at(-1)!.sentence).toMatch(/^Router 1, which only observes, would have chosen (BASE|RAG)\.$/);
  });

  it('decides when it is told to: what the documents say is read, what they have nothing to do with is not', async () => {
    await fitter.routers.setMode(answering.workspaceId, 1, 'APPLY');
    const own = await ask('At what wind speed are the roof vents forced shut?');
    expect(own.route).toMatchObject({ strategy: 'RAG', router: { mode: 'APPLY' } });
    expect(own.route.reasons.map(({ feature }) => feature)).toContain('router.top');
    expect(own.evidence.length).toBeGreaterThan(0);
    const chat = await ask('Write a short poem about autumn.');
    expect(chat.route.strategy).toBe('BASE');
  });

  it('is not asked where the caller named what to answer from, or with', async () => {
    const { route } = await answering.service.tryOut(
      answering.caller,
      { question: 'Write a short poem about autumn.', collections: ['handbook'] },
      new AbortController().signal,
    );
    expect(route.router).toBeUndefined();
    expect(route.strategy).toBe('RAG');
  });
});
