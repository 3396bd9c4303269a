/**
 * `{ __typename }` over HTTP: Graft's gateway with everything switched on (limits, Host and Origin checks, request ids,
 * log) beside the same schema on Apollo Server with express, as its documentation sets it up. Each server is a process of
 * its own; the rounds alternate; the client is a few raw sockets, so that it costs less than what it measures.
 *
 * Published figures: requests/s, requests per second of the server's processor time (which a busy machine disturbs less),
 * and the ratio of their medians.
 */
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { fork, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { LOCAL_CALLERS } from '../src/server/graphql/callers.js';
import { startGateway } from '../src/server/graphql/server.js';
import { createLogger } from '../src/platform/telemetry/index.js';
import { describeMachine, median, printResult } from './support/report.js';

const ROUNDS = 9;
const ROUND_MS = 2_000;
const WARM_UP_MS = 3_000;
const CONNECTIONS = 16;
const QUERY = '{ __typename }';
/** Graft's answers go on with what they cost. */
const ANSWER = '"data":{"__typename":"Query"}';

const schema = (): GraphQLSchema => buildSchema('type Query { hello: String }');

async function serveGraft(): Promise<number> {
  const gateway = await startGateway({
    schema: schema(),
    host: '127.0.0.1',
    port: 0,
    origins: { allowedHosts: [], allowedOrigins: [] },
    callers: LOCAL_CALLERS,
    log: createLogger(),
    readiness: () => [],
    files: { store: () => Promise.reject(new Error('not measured')) },
    maxUploadBytes: 1,
  });
  return gateway.port;
}

async function serveExpress(): Promise<number> {
  const apollo = new ApolloServer({ schema: schema() });
  await apollo.start();
  const app = express();
  app.use('/graphql', express.json(), expressMiddleware(apollo));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

const servers = { graft: serveGraft, express: serveExpress };
type Peer = keyof typeof servers;

/** Sends requests one after another on each connection for `ms`. */
function load(port: number, ms: number): Promise<{ answers: number; seconds: number }> {
  const body = JSON.stringify({ query: QUERY });
  const request = Buffer.from(
    `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    let answers = 0;
    const start = performance.now();
    const sockets = Array.from({ length: CONNECTIONS }, () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('connect', () => socket.write(request));
      socket.on('data', (chunk) => {
        if (!chunk.includes(ANSWER)) return reject(new Error(`unexpected answer: ${chunk.toString()}`));
        answers += 1;
        socket.write(request);
      });
      socket.on('error', () => undefined);
      return socket;
    });
    setTimeout(() => {
      const seconds = (performance.now() - start) / 1_000;
      for (const socket of sockets) socket.destroy();
      resolve({ answers, seconds });
    }, ms);
  });
}

interface Running {
  child: ChildProcess;
  port: number;
}

function start(peer: Peer): Promise<Running> {
  const child = fork(fileURLToPath(import.meta.url), [`--serve=${peer}`], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve({ child, port: port as number }));
    child.once('exit', (code) => reject(new Error(`${peer} ended with ${code}`)));
  });
}

/** Microseconds of processor time that the process has used. */
function processorTime(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('message', (used) => resolve(used as number));
    child.send('processor time?');
  });
}

interface Rates {
  /** Requests per second. */
  wall: number[];
  /** Requests per second of processor time. */
  processor: number[];
}

async function measure(running: Record<Peer, Running>): Promise<void> {
  const peers: Peer[] = ['graft', 'express'];
  const rates: Record<Peer, Rates> = { graft: { wall: [], processor: [] }, express: { wall: [], processor: [] } };
  for (const peer of peers) await load(running[peer].port, WARM_UP_MS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      const { child, port } = running[peer];
      const before = await processorTime(child);
      const { answers, seconds } = await load(port, ROUND_MS);
      const used = (await processorTime(child)) - before;
      rates[peer].wall.push(answers / seconds);
      rates[peer].processor.push((answers / used) * 1e6);
    }
  }
  const ratio = (kind: keyof Rates) =>
    Math.round((median(rates.graft[kind]) / median(rates.express[kind])) * 100) / 100;
  const row = (server: string, peer: Peer) => ({
    server,
    'requests/s': Math.round(median(rates[peer].wall)),
    'requests per processor second': Math.round(median(rates[peer].processor)),
  });
  printResult('gateway', {
    machine: describeMachine(),
    query: QUERY,
    connections: CONNECTIONS,
    rounds: ROUNDS,
    rows: [row('Graft (Fastify, every check on)', 'graft'), row('Apollo Server on express', 'express')],
    ratios: { wall: ratio('wall'), processor: ratio('processor') },
  });
}

const role = process.argv.find((argument) => argument.startsWith('--serve='))?.slice('--serve='.length) as
  Peer | undefined;
if (role) {
  const port = await servers[role]();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.send?.(port);
} else {
  const running = { graft: await start('graft'), express: await start('express') };
  try {
    await measure(running);
  } finally {
    for (const { child } of Object.values(running)) child.kill();
  }
}
