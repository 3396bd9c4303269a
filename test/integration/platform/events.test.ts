import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import { EventLog, type StoredEvent } from '../../../src/platform/events/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { freshWorkspace } from '../../support/chroma.js';
import { eventually } from '../../support/eventually.js';
import { CuttableWay, cutConnections } from './outage.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;
const newStream = () => `test:${newId()}`;

describe('the event log', () => {
  let database: TestDatabase;
  let events: EventLog;

  beforeAll(async () => {
    database = await testDatabase();
    events = new EventLog({ database, log: silentLogger() });
  });
  afterAll(async () => {
    await events.close();
    await database.dispose();
  });

  /** Follows in the background. */
  function follower(stream: string, after?: bigint, log = events) {
    const seen: StoredEvent[] = [];
    const abort = new AbortController();
    const done = (async () => {
      for await (const event of log.follow(WORKSPACE, stream, { after, signal: abort.signal })) seen.push(event);
    })();
    return {
      seen,
      numbers: () => seen.map((event) => Number(event.sequence)),
      stop: async () => {
        abort.abort();
        await done;
      },
    };
  }
  const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

  it('numbers each stream 1, 2, 3… whoever writes at the same time and whichever transactions roll back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ stream: fc.nat(2), rollBack: fc.boolean(), delayMs: fc.nat(5) }), { maxLength: 24 }),
        async (writes) => {
          const streams = [newStream(), newStream(), newStream()];
          await Promise.all(
            writes.map(({ stream, rollBack, delayMs }) =>
              database.prisma
                .$transaction(async (tx) => {
                  await sleep(delayMs);
                  await events.append(WORKSPACE, streams[stream]!, 'tick', {}, tx);
                  await sleep(delayMs);
                  if (rollBack) throw new Error('rolled back');
                })
                .catch((error: Error) => {
                  if (error.message !== 'rolled back') throw error;
                }),
            ),
          );
          for (const [index, stream] of streams.entries()) {
            const rows = await database.prisma.event.findMany({ where: { stream }, orderBy: { sequence: 'asc' } });
            const kept = writes.filter((write) => write.stream === index && !write.rollBack).length;
            expect(rows.map((row) => Number(row.sequence))).toEqual(upTo(kept));
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('never shows an event before an earlier one of its stream is decided', async () => {
    const stream = newStream();
    const order: string[] = [];
    let appended = false;
    const slow = database.prisma.$transaction(async (tx) => {
      await events.append(WORKSPACE, stream, 'slow', {}, tx);
      appended = true;
      await sleep(200);
      order.push('slow');
    });
    await eventually('the slow one to be appended', () => appended);
    const quick = events.append(WORKSPACE, stream, 'quick', {}).then(() => order.push('quick'));
    await Promise.all([slow, quick]);
    expect(order).toEqual(['slow', 'quick']);
  });

  it('replays what is stored and goes on live, from any place', async () => {
    const stream = newStream();
    for (const n of upTo(3)) await events.append(WORKSPACE, stream, 'tick', { n });
    const all = follower(stream);
    const later = follower(stream, 2n);
    await eventually('the replay', () => all.seen.length === 3 && later.seen.length === 1);
    const sent = performance.now();
    await events.append(WORKSPACE, stream, 'tick', { n: 4 });
    await eventually('the live event', () => all.seen.length === 4 && later.seen.length === 2);
    expect(performance.now() - sent).toBeLessThan(1_000);
    expect(all.numbers()).toEqual(upTo(4));
    expect(later.numbers()).toEqual([3, 4]);
    expect(all.seen[3]).toMatchObject({ type: 'tick', payload: { n: 4 }, createdAt: expect.any(Date) });
    await Promise.all([all.stop(), later.stop()]);
  });

  it('replays more than one page of events', async () => {
    const stream = newStream();
    await database.prisma.event.createMany({
      data: upTo(1_234).map((n) => ({ stream, sequence: n, workspaceId: WORKSPACE, type: 'tick', payload: {} })),
    });
    const all = follower(stream);
    await eventually('all of them', () => all.seen.length === 1_234);
    expect(all.numbers()).toEqual(upTo(1_234));
    await all.stop();
  });

  it('shows a workspace only its own events', async () => {
    const stream = newStream();
    await events.append(freshWorkspace(), stream, 'tick', {});
    const other = follower(stream);
    await sleep(200);
    expect(other.seen).toEqual([]);
    await other.stop();
  });

  it('serves the subscribers of another gateway', async () => {
    const elsewhere = new EventLog({ database, log: silentLogger() });
    const stream = newStream();
    const remote = follower(stream, undefined, elsewhere);
    await eventually('the other gateway to listen', () => elsewhere.wakeUps.connected);
    const sent = performance.now();
    await events.append(WORKSPACE, stream, 'tick', {});
    await eventually('the event there', () => remote.seen.length === 1);
    expect(performance.now() - sent).toBeLessThan(1_000);
    await remote.stop();
    await elsewhere.close();
  });

  it('lets no follower miss an event while its LISTEN connection is cut again and again', async () => {
    const stream = newStream();
    const watch = follower(stream);
    await eventually('the connection', () => events.wakeUps.connected);
    for (const n of upTo(30)) {
      if (n % 6 === 0) await cutConnections(database, 'graft-listen');
      await events.append(WORKSPACE, stream, 'tick', { n });
    }
    await eventually('all events', () => watch.seen.length >= 30);
    expect(watch.numbers()).toEqual(upTo(30));
    await eventually('the connection again', () => events.wakeUps.connected);
    await watch.stop();
  });

  it('survives a database that is gone for a while', async () => {
    const { database: distant, way } = await CuttableWay.to(database);
    const log = new EventLog({ database: distant, log: silentLogger() });
    const stream = newStream();
    const watch = follower(stream, undefined, log);
    await log.append(WORKSPACE, stream, 'before', {});
    await eventually('the first event', () => watch.seen.length === 1);
    await way.cut();
    await eventually('the loss to be noticed', () => !log.wakeUps.connected);
    await expect(log.append(WORKSPACE, stream, 'lost', {})).rejects.toThrow();
    await events.append(WORKSPACE, stream, 'meanwhile', {});
    await sleep(700);
    await way.restore();
    await eventually('the event of the meantime', () => watch.seen.length === 2);
    await eventually('an append', () => log.append(WORKSPACE, stream, 'after', {}).catch(() => null));
    await eventually('the last event', () => watch.seen.length === 3);
    expect(watch.seen.map((event) => event.type)).toEqual(['before', 'meanwhile', 'after']);
    await watch.stop();
    await log.close();
    await distant.close();
    await way.cut();
  });

  it('closes also in the middle of connecting', async () => {
    // A server that takes the connection and never says a word.
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `postgresql://graft:x@127.0.0.1:${(silent.address() as AddressInfo).port}/graft`;
    const log = new EventLog({ database: { ...database, url }, log: silentLogger() });
    log.wakeUps.subscribe('anything', () => undefined);
    await once(silent, 'connection');
    await log.close();
    silent.close();
  });

  it('ends at once when the consumer leaves or the signal aborts', async () => {
    const iterator = events.follow(WORKSPACE, newStream(), { signal: new AbortController().signal });
    const pending = iterator.next();
    const started = performance.now();
    await iterator.return!();
    expect(await pending).toMatchObject({ done: true });
    const idle = follower(newStream());
    await idle.stop();
    expect(performance.now() - started).toBeLessThan(500);
  });
});
