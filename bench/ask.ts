/**
 * `askStream` over the whole gateway (WebSocket or server-sent events, PostgreSQL, Chroma, worker process) beside node-llama-cpp
 * called directly in this process with the same prompt, the same threads and the same reuse of common prompt beginnings.
 * They alternate, question by question; every other question goes over the other transport. node-llama-cpp has one thread count for
 * reading and writing, so it is measured with each that Graft uses, and each figure is held against the better of the two.
 *
 * Published: time to first token, tokens/s from the first token to the last (both as ratios of medians too), and what the
 * gateway adds to an answer from documents: time of the whole request less the time that model and embedder worked, for `RAG` and for
 * `AUTO`, which asks the reader about sentences first.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { getLlama, LlamaLogLevel, type LlamaContextSequence, type LlamaModel, type Token } from 'node-llama-cpp';
import { WebSocket } from 'ws';
import { readChat } from '../gpu-worker/chat/read-chat.js';
import { servedForm } from '../gpu-worker/engines/inference/served-form.js';
import { GraftClient } from '../src/client/graft-client.js';
import { ModelsOnDisk } from '../src/platform/models-on-disk/index.js';
import { packageRoot } from '../src/platform/package-root.js';
import { silentLogger } from '../src/platform/telemetry/index.js';
import { baseMessages, renderChat, type PromptSegment } from '../src/sources/prompting/index.js';
import { ingestHandbookOver, startProgram } from './support/program.js';
import { describeMachine, median, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const TOKENS = 96;
/** Before each measurement, in ms, as if someone had thought in between. */
const IDLE_MS = 1_000;
/** Enough where only the first token counts. */
const SHORT_ANSWER = 8;
const SUBJECTS = [
  'a lighthouse',
  'a greenhouse',
  'a bicycle',
  'a sailing boat',
  'a water mill',
  'a bakery',
  'a glacier',
  'a library',
  'a telescope',
  'a beehive',
  'a volcano',
  'a steam engine',
  'an orchestra',
  'a coral reef',
  'a tram',
  'a vineyard',
  'a piano',
  'a submarine',
  'a windmill',
  'a dairy farm',
  'a fire brigade',
  'a parachute',
  'a sundial',
  'a compass',
  'a printing press',
  'a pottery kiln',
  'a market hall',
  'a hot air balloon',
  'a canal lock',
  'a fountain',
  'a seed bank',
  'a typewriter',
];
/** Questions of three lengths. The longer ones name their subject first, so that little of one can be reused for the next. */
const QUESTIONS: Record<string, (subject: string) => string> = {
  short: (subject) => `Explain in one long paragraph how ${subject} works.`,
  medium: (subject) =>
    `About ${subject}: I run a small museum in the hills, and a visitor asked me about this yesterday. I could not answer well, which I regret. Explain in one long paragraph how it works.`,
  long: (subject) =>
    `About ${subject}: I run a small museum in the hills, and a visitor asked me about this yesterday. I could not answer well, which I regret. ` +
    'What I said was that people had long tried to make such a thing, that most of the early ones failed for want of money, and that the one we ' +
    'show was given to us by a retired teacher who had kept it in her barn under a sheet for forty years. She told us that it still worked when ' +
    'she was a child, that her father used to take her to see it on Sundays, and that nobody knew who had made it. None of that answered the ' +
    'question. Explain in one long paragraph how it works, so that a child of ten understands it.',
};

const ASK = `query ($input: AskInput!) { ask(input: $input) {
  abstained wording cost { computeMs computedTokens } stages { name ms } usage { promptTokens reusedTokens generatedTokens } } }`;
const STREAM = `subscription ($input: AskInput!) { askStream(input: $input) { __typename
  ... on AnswerReady { answer { usage { promptTokens reusedTokens generatedTokens } } } } }`;

interface Usage {
  promptTokens: number;
  reusedTokens: number;
  generatedTokens: number;
}

interface Measured {
  firstMs: number;
  tokensPerSecond: number;
  tokens: number;
  /** Tokens of the prompt that were not reused. */
  read: number;
}

interface StreamEvent {
  askStream: { __typename: string; answer?: { usage: Usage } };
}
type Subscribe = (query: string, variables: Record<string, unknown>) => AsyncIterable<StreamEvent>;

interface Result {
  data?: StreamEvent | null;
  errors?: readonly { message: string }[];
}

function dataOf({ data, errors }: Result): StreamEvent {
  if (!data || errors) throw new Error(errors?.[0]?.message ?? 'a result without data');
  return data;
}

/** Server-sent events over a kept-alive connection by node:http, as lean as the WebSocket's client; fetch costs more. */
const overEvents = (origin: string, agent: Agent): Subscribe =>
  async function* (query, variables) {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const sent = request(`${origin}/graphql/stream`, { method: 'POST', agent, headers });
    sent.end(JSON.stringify({ query, variables }));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
    let text = '';
    for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) {
      const events = (text + part).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^event: next\ndata: (.*)/s.exec(event)?.[1];
        if (data !== undefined) yield dataOf(JSON.parse(data) as Result);
      }
    }
  };

const overSocket = (socket: Client): Subscribe =>
  async function* (query, variables) {
    for await (const result of socket.iterate<StreamEvent>({ query, variables })) yield dataOf(result);
  };

async function streamed(subscribe: Subscribe, input: object): Promise<Measured> {
  const began = performance.now();
  let first = 0;
  let last = 0;
  let usage: Usage | undefined;
  for await (const { askStream } of subscribe(STREAM, { input })) {
    if (askStream.__typename === 'TextDelta') {
      last = performance.now();
      first ||= last;
    }
    usage = askStream.answer?.usage ?? usage;
  }
  if (first === 0 || usage === undefined) throw new Error('the stream ended without an answer');
  const tokens = usage.generatedTokens;
  const read = usage.promptTokens - usage.reusedTokens;
  return { firstMs: first - began, tokens, tokensPerSecond: ((tokens - 1) / (last - first)) * 1000, read };
}

const threadsOf = (count: number): string => `${count} thread${count === 1 ? '' : 's'}`;

class Direct {
  private constructor(
    private readonly model: LlamaModel,
    private readonly sequence: LlamaContextSequence,
    readonly dispose: () => Promise<void>,
  ) {}

  static async load(path: string, threads: number): Promise<Direct> {
    const llama = await getLlama({ build: 'never', gpu: false, maxThreads: threads, logLevel: LlamaLogLevel.error });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({ contextSize: 2_048, threads });
    return new Direct(model, context.getSequence(), () => llama.dispose());
  }

  segments(question: string): PromptSegment[] {
    const { tokens, fileInfo } = this.model;
    const template = (fileInfo.metadata.tokenizer as { chat_template?: string }).chat_template ?? null;
    const special = { bosToken: tokens.bosString ?? '', eosToken: tokens.eosString ?? '' };
    return renderChat(readChat({ template, ...special }), baseMessages(question));
  }

  async measure(question: string, tokens: number): Promise<Measured> {
    const began = performance.now();
    const prompt = this.segments(question).flatMap(({ text, special }) => this.model.tokenize(text, special));
    await this.sequence.adaptStateToTokens(prompt.slice(0, -1), false);
    const read = prompt.length - this.sequence.nextTokenIndex;
    let first = 0;
    let last = 0;
    const made: Token[] = [];
    for await (const token of this.sequence.evaluate(prompt.slice(this.sequence.nextTokenIndex), { temperature: 0 })) {
      made.push(token);
      this.model.detokenize([token]);
      last = performance.now();
      first ||= last;
      if (made.length >= tokens) break;
    }
    return {
      firstMs: first - began,
      tokens: made.length,
      tokensPerSecond: ((made.length - 1) / (last - first)) * 1000,
      read,
    };
  }
}

/** A POST by node:http too. */
async function post<T>(origin: string, agent: Agent, query: string, variables: object): Promise<T> {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const sent = request(`${origin}/graphql`, { method: 'POST', agent, headers });
  sent.end(JSON.stringify({ query, variables }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return ((await json(response)) as { data: T }).data;
}

/** Medians, in ms: of whole requests, of them less what model and embedder took, and of the time to the first text. */
async function fromDocuments(origin: string, agent: Agent, strategy: 'RAG' | 'AUTO'): Promise<Record<string, string>> {
  const path = join(packageRoot(), 'examples', 'questions.json');
  const questions = JSON.parse(await readFile(path, 'utf8')) as { question: string }[];
  const overhead: number[] = [];
  const total: number[] = [];
  const first: number[] = [];
  const generation = { maxTokens: 16 };
  const inputs = [...questions, ...questions].map(({ question }) => ({
    question,
    strategy,
    reader: strategy === 'AUTO',
    generation,
  }));
  for (const input of inputs) {
    const began = performance.now();
    type Asked = { ask: { cost: { computeMs: number } } };
    const { ask } = await post<Asked>(origin, agent, ASK, { input });
    const ms = performance.now() - began;
    total.push(ms);
    overhead.push(ms - ask.cost.computeMs);
  }
  // Not question by question: the model would still hold the prompt.
  for (const input of inputs) first.push((await streamed(overEvents(origin, agent), input)).firstMs);
  return {
    'time to first text, askStream over server-sent events': ms(median(first)),
    'whole answer, ask over HTTP': ms(median(total)),
    'of that, everything but model and embedder': ms(median(overhead)),
  };
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

const home = await mkdtemp(join(tmpdir(), 'graft-bench-ask-'));
const program = await startProgram(home, MODEL);
const client = new GraftClient(program.url);
const agent = new Agent({ keepAlive: true });
const socket = createClient({
  url: `${program.url.replace('http', 'ws')}/graphql`,
  webSocketImpl: WebSocket,
  lazy: false,
});
const [file] = await new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], log: silentLogger() }).files(MODEL);
const calibrations = Object.values(
  JSON.parse(await readFile(join(home, 'calibration.json'), 'utf8').catch(() => '{}')) as object,
) as { threads: { prefill: number; decode: number } }[];
const threads = calibrations[0]?.threads ?? { prefill: 1, decode: 1 };
// It takes one thread count for reading and writing; which is better differs between machines.
const counts = [...new Set([threads.prefill, threads.decode])];
// The form that Graft serves: what differs is what stands around the model.
const served = await servedForm({ ...file!, contextLength: 8_192 });
const directs = await Promise.all(counts.map((count) => Direct.load(served, count)));

/** One length of question: the transports take turns, and each question goes to node-llama-cpp too, in all its configurations. */
async function measureLength(
  subscribes: readonly Subscribe[],
  length: string,
  subjects: readonly string[],
  most: number,
) {
  const ours: Measured[][] = subscribes.map(() => []);
  const theirs: Measured[][] = directs.map(() => []);
  // The first two are there to warm up.
  for (const [round, subject] of [...SUBJECTS.slice(-2), ...subjects].entries()) {
    const question = QUESTIONS[length]!(subject);
    const turn = round % subscribes.length;
    const input = { question, strategy: 'BASE', generation: { maxTokens: most } };
    const all: [Measured[], () => Promise<Measured>][] = [
      [ours[turn]!, () => streamed(subscribes[turn]!, input)],
      ...directs.map((direct, index): (typeof all)[number] => [theirs[index]!, () => direct.measure(question, most)]),
    ];
    // Who is first has another neighbour in each round.
    for (const place of all.keys()) {
      const [kept, measure] = all[(place + round) % all.length]!;
      await sleep(IDLE_MS);
      const measured = await measure();
      if (round > 1) kept.push(measured);
    }
  }
  return { ours, theirs };
}

try {
  const transports = { WebSocket: overSocket(socket), 'server-sent events': overEvents(program.url, agent) };
  const subscribes = Object.values(transports);
  const short = await measureLength(subscribes, 'short', SUBJECTS.slice(0, 24), TOKENS);
  const medium = await measureLength(subscribes, 'medium', SUBJECTS.slice(0, 16), SHORT_ANSWER);
  const long = await measureLength(subscribes, 'long', SUBJECTS.slice(0, 16), SHORT_ANSWER);
  await ingestHandbookOver(client);

  const first = (list: readonly Measured[]): number => median(list.map(({ firstMs }) => firstMs));
  const rate = (list: readonly Measured[]): number => median(list.map(({ tokensPerSecond }) => tokensPerSecond));
  const row = (
    figure: string,
    { ours, theirs }: typeof short,
    value: (list: readonly Measured[]) => number,
    show: (value: number) => string,
    more: boolean,
  ) => {
    const peers = theirs.map(value);
    const best = more ? Math.max(...peers) : Math.min(...peers);
    const ratio = (list: Measured[]): number => (more ? value(list) / best : best / value(list));
    return {
      figure,
      ...Object.fromEntries(
        Object.keys(transports).map((name, index) => [`askStream, ${name}`, show(value(ours[index]!))]),
      ),
      ...Object.fromEntries(counts.map((count, index) => [`node-llama-cpp, ${threadsOf(count)}`, show(peers[index]!)])),
      'ratio to the better': ours.map((list) => ratio(list).toFixed(2)).join(' / '),
    };
  };
  const tokensRead = ({ ours }: typeof short): number => median(ours.flat().map(({ read }) => read));
  printResult('ask', {
    machine: describeMachine(),
    rows: [
      ...[short, medium, long].map((measured) =>
        row(`time to first token, ${tokensRead(measured)} new tokens to read`, measured, first, ms, false),
      ),
      row('tokens/s after the first', short, rate, (value) => value.toFixed(1), true),
    ],
    fromDocuments: {
      RAG: await fromDocuments(program.url, agent, 'RAG'),
      AUTO: await fromDocuments(program.url, agent, 'AUTO'),
    },
    model: MODEL,
    threads,
    tokensRead: [short, medium, long].map(({ ours, theirs }) => ({
      graft: median(ours.flat().map(({ read }) => read)),
      peers: theirs.map((list) => median(list.map(({ read }) => read))),
    })),
    generatedTokens: short.ours.flat().map(({ tokens }) => tokens),
  });
} finally {
  for (const direct of directs) await direct.dispose();
  client.close();
  agent.destroy();
  await socket.dispose();
  await program.stop();
  await rm(home, { recursive: true, force: true });
}
