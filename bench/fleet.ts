/**
 * A fleet under load: eight adapters on three engines that stand in for vLLM (`test/support/engine`), over HTTP. A third of the way one engine
 * is killed, two thirds of the way it comes back without its adapters. Each adapter says a number of its own, so that an answer tells who
 * gave it. Who is told that an answer broke off in the middle asks again, as the error says; a question that no answer comes to is lost.
 *
 *   npm run bench -- fleet
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isGraftError } from '../src/kernel/errors.js';
import { CheapBrain } from '../test/support/engine/brain.js';
import { EngineServer } from '../test/support/engine/engine-server.js';
import { CheapAdapters, cheapFleet, question, textOf } from '../test/support/engine/fleet-kit.js';
import { numberOption } from './support/options.js';
import { describeMachine, printResult } from './support/report.js';

const ASKS = numberOption('asks', 10_000);
const ADAPTERS = 8;
const ENGINES = 3;
const AT_ONCE = 24;
const FIRST = 20;

const folder = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const made = new CheapAdapters(folder);
const adapters = await Promise.all(Array.from({ length: ADAPTERS }, (_, i) => made.adapter(FIRST + i)));
const brain = new CheapBrain();
const engines = await Promise.all(Array.from({ length: ENGINES }, () => EngineServer.start({ brain })));
const urls = engines.map(({ url }) => url);
const { fleet, keeper } = cheapFleet({ urls, adapters: made, production: () => adapters });

const told = { answered: 0, wrong: 0, lost: 0, askedAgain: 0 };
let next = 0;

async function ask(at: number): Promise<void> {
  const place = at % ADAPTERS;
  const request = question(adapters[place]!, `question ${at}`);
  for (;;)
    try {
      const said = await textOf(fleet.generate(request));
      told.answered += 1;
      if (said !== `<${FIRST + place}>`.repeat(3)) told.wrong += 1;
      return;
    } catch (error) {
      if (!isGraftError(error, 'WORKER_CRASHED')) return void (told.lost += 1);
      told.askedAgain += 1;
    }
}

const events = new Map<number, () => void>([
  [Math.floor(ASKS / 3), () => void engines[0]!.kill()],
  [Math.floor((2 * ASKS) / 3), () => void engines[0]!.revive().then(() => keeper.round())],
]);

async function asker(): Promise<void> {
  while (next < ASKS) {
    const at = next++;
    events.get(at)?.();
    await ask(at);
  }
}

try {
  await keeper.round();
  const began = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, asker));
  const seconds = (performance.now() - began) / 1_000;
  await keeper.round();
  const row = {
    asks: ASKS,
    answered: told.answered,
    'by a wrong adapter': told.wrong,
    lost: told.lost,
    'told that it broke off, and asked again': told.askedAgain,
    'adapters on the engine that came back': engines[0]!.adapters.size,
    'asks/s': Math.round(ASKS / seconds),
  };
  printResult('fleet', { machine: describeMachine(), rows: [row], adapters: ADAPTERS, engines: ENGINES });
} finally {
  await keeper.stop();
  for (const engine of engines) await engine.kill();
  await rm(folder, { recursive: true, force: true });
}
