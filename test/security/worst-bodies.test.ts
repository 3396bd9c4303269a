import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { DEFAULT_LIMITS } from '../../src/server/graphql/limits.js';
import { RESOLVER_CLASSES } from '../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../src/server/graphql/schema.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';
import { TRANSPORTS, worstBodies, type Transport } from '../support/worst-bodies.js';

/** The most that one request may hold the event loop, in ms of processor time: the clock's also counts what others compute. */
const MOST_HELD_MS = 50;
/** A collection of garbage may fall into a turn. */
const TRIES = 12;

const schema = buildGraphSchema(RESOLVER_CLASSES);
const FIELDS = [...schemaFields()];

function* schemaFields(): Generator<string> {
  for (const [kind, type] of [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const)
    for (const name of Object.keys(type!.getFields())) yield `${kind} ${name}`;
}

describe('the heaviest bodies that the limits accept', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let turns: string;
  let heard = 0;

  beforeAll(async () => {
    home = await temporaryHome();
    turns = `${home.path}.turns`;
    await writeFile(turns, '');
    const watcher = join(packageRoot(), 'dist', 'test', 'support', 'watch-turns.js');
    const env = { NODE_OPTIONS: `--import ${watcher}`, WATCH_TURNS: turns, LOG_LEVEL: 'error' };
    graft = await spawnGraft(home.path, env).started;
  }, 400_000);
  afterAll(async () => {
    socket?.terminate();
    graft.child.kill('SIGKILL');
    await graft.ended;
    await home.remove();
  });

  const post = async (path: string, accept: string, json: string): Promise<void> => {
    const stop = new AbortController();
    const response = await fetch(`${graft.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: Buffer.from(json),
      signal: stop.signal,
    });
    expect(response.status).not.toBe(413);
    // A subscription that was accepted would be answered for as long as its run takes.
    for (const reader = response.body!.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done || Buffer.from(value).includes('event: next')) break;
    }
    stop.abort();
  };

  let socket: WebSocket | undefined;
  let closed: Promise<number>;
  let operations = 0;
  const openSocket = async (): Promise<WebSocket> => {
    const opened = new WebSocket(`${graft.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(opened, 'open');
    opened.send('{"type":"connection_init"}');
    await once(opened, 'message');
    closed = new Promise((resolve) => opened.on('close', resolve));
    return opened;
  };
  const overWebSocket = async (json: string): Promise<void> => {
    socket ??= await openSocket();
    const id = `${(operations += 1)}`;
    const answered = new Promise<undefined>((resolve) =>
      socket!.on('message', (data) => JSON.parse((data as Buffer).toString()).id === id && resolve(undefined)),
    );
    socket.send(`{"type":"subscribe","id":"${id}","payload":${json}}`);
    const code = await Promise.race([answered, closed]);
    expect(code).toBe(undefined);
    socket.removeAllListeners('message');
    socket.send(`{"type":"complete","id":"${id}"}`);
  };
  const SEND: Record<Transport, (json: string) => Promise<void>> = {
    HTTP: (json) => post('/graphql', 'application/json', json),
    SSE: (json) => post('/graphql/stream', 'text/event-stream', json),
    WebSocket: overWebSocket,
  };

  /** The longest turn of the event loop since this was asked last, in ms of processor time; 0 when all were short. */
  const longestTurnMs = (): number => {
    const said = readFileSync(turns, 'utf8').split('\n').slice(0, -1);
    const longest = Math.max(0, ...said.slice(heard).map(Number));
    heard = said.length;
    return longest;
  };

  /** Of some tries the least of what a request held the event loop at a stretch. */
  const heldMs = async (send: () => Promise<void>): Promise<{ held: number; livez: number }> => {
    let held = Infinity;
    let livez = Infinity;
    for (let n = 0; n < TRIES && held > MOST_HELD_MS; n++) {
      longestTurnMs();
      let longest = 0;
      let sending = true;
      const watching = (async () => {
        while (sending) {
          const asked = performance.now();
          await (await fetch(`${graft.url}/livez`)).text();
          longest = Math.max(longest, performance.now() - asked);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      await send();
      sending = false;
      // One more answer than the request's: the turns it took are over and told.
      await watching;
      await (await fetch(`${graft.url}/livez`)).text();
      held = Math.min(held, longestTurnMs());
      livez = Math.min(livez, longest);
    }
    return { held, livez };
  };

  itWhen(process.platform === 'linux', 'the processor time of a thread is read from /proc')(
    'hold the event loop no longer than 50 ms, for each field of the schema, over HTTP, WebSocket and SSE',
    async () => {
      const tooLong: string[] = [];
      const worst = new Map<string, { held: number; livez: number; body: string }>();
      const seen = new Set<string>();
      for (const { transport, field, name, json } of worstBodies(schema, DEFAULT_LIMITS)) {
        seen.add(`${transport} ${field}`);
        const { held, livez } = await heldMs(() => SEND[transport](json));
        const before = worst.get(transport);
        if (before === undefined || before.held < held) worst.set(transport, { held, livez, body: name });
        if (held > MOST_HELD_MS) tooLong.push(`${transport} ${name}: ${held.toFixed(0)} ms`);
      }
      for (const [transport, { held, livez, body }] of worst)
        console.log(`${transport}: at most ${held.toFixed(0)} ms held, /livez in ${livez.toFixed(0)} ms, by ${body}`);
      expect(tooLong).toEqual([]);
      expect(seen.size).toBe(TRANSPORTS.length * FIELDS.length);
    },
    1_200_000,
  );
});
