import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Brain } from './brain.js';

export interface EngineServerOptions {
  brain: Brain;
  dialect?: 'VLLM' | 'SGLANG';
  /** Which ways of scoring it has, as versions of vLLM differ. */
  scoring?: readonly ('logprob_token_ids' | 'processed')[];
  base?: string;
  contextTokens?: number;
  maxRank?: number;
  /** A key that it wants. */
  key?: string;
}

/** What it does wrong. */
export interface Faults {
  /** Answers everything with this status. */
  status?: number;
  /** Waits before each answer, in ms. */
  delayMs?: number;
  /** Takes requests and never answers. */
  silent?: boolean;
  /** Breaks the connection after this many tokens of an answer. */
  breakAfter?: number;
  /** Computes these adapters as if they were the base. */
  asBase?: Pick<ReadonlySet<string>, 'has'>;
  /** Computes the base with the weights of the adapter that was loaded last when an adapter is asked at the same time. */
  mixes?: boolean;
  /** Leaves these out of its list. */
  hidden?: ReadonlySet<string>;
  /** Puts these on its list. */
  invented?: readonly string[];
  /** Says that it answers as this model, whatever it was asked for. */
  answersAs?: string;
  /** Waits before each token, in ms. */
  tokenMs?: number;
}

interface Body {
  model: string;
  prompt: number[];
  max_tokens: number;
  temperature?: number;
  seed?: number;
  stop?: string[];
  stream?: boolean;
  logprobs?: number;
  logprob_token_ids?: number[];
  allowed_token_ids?: number[];
  query?: number[];
  label_token_ids?: number[];
  lora_name?: string;
  lora_path?: string;
  load_inplace?: boolean;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Stands in for an engine: speaks vLLM's dialect, or SGLang's, as far as Graft uses it, and is held to the same contract as a real one. */
export class EngineServer {
  faults: Faults = {};
  /** Adapters by name, with the folder that they were loaded from. */
  readonly adapters = new Map<string, { path: string; weights: Buffer }>();
  /** What it was asked, in order: path, the model or adapter, and all of it. */
  readonly asked: { path: string; model: string; body: object }[] = [];
  /** Answers that were withdrawn while it worked on them. */
  aborted = 0;
  /** Answers that it works on. */
  working = 0;
  readonly #prefixes = new Map<string, Buffer>();
  readonly #batch: (Buffer | null)[] = [];
  #server: Server | null = null;
  #port = 0;
  #brain: Brain;

  private constructor(private readonly options: EngineServerOptions) {
    this.#brain = options.brain;
  }

  static async start(options: EngineServerOptions): Promise<EngineServer> {
    const server = new EngineServer(options);
    await server.revive();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Ends as a killed process does. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** Comes back at the same address as a new process: without adapters. */
  async revive({ brain = this.#brain }: { brain?: Brain } = {}): Promise<void> {
    this.#brain = brain;
    this.adapters.clear();
    this.#prefixes.clear();
    const server = createServer((request, response) => void this.#serve(request, response));
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const body = (text === '' ? {} : JSON.parse(text)) as Body;
    const path = request.url ?? '';
    this.asked.push({ path, model: body.model ?? body.lora_name ?? '', body });
    const { key } = this.options;
    try {
      if (this.faults.silent) return;
      if (this.faults.delayMs) await sleep(this.faults.delayMs);
      if (this.faults.status) throw new Refused(this.faults.status, 'out of order');
      if (key !== undefined && request.headers.authorization !== `Bearer ${key}`)
        throw new Refused(401, 'Unauthorized');
      await this.#route(`${request.method} ${path}`, body, response);
    } catch (error) {
      const status = error instanceof Refused ? error.status : 500;
      const message = String((error as Error).message);
      if (response.headersSent) response.destroy();
      else if (this.#sglang && status === 400) refuseAsSglang(body, message, response);
      else send(response, status, { error: { message, type: 'error', code: status } });
    }
  }

  async #route(route: string, body: Body, response: ServerResponse): Promise<void> {
    const sglang = this.#sglang;
    const prefix = sglang ? '' : '/v1';
    switch (route) {
      case 'GET /version':
        if (sglang) break;
        return send(response, 200, { version: '0.32.0' });
      case 'GET /get_server_info':
        if (!sglang) break;
        return send(response, 200, { version: '0.5.6', context_length: this.#context });
      case 'GET /v1/models':
        return send(response, 200, { object: 'list', data: this.#models() });
      case `POST ${prefix}/load_lora_adapter`:
        return this.#load(body, response);
      case `POST ${prefix}/unload_lora_adapter`:
        if (!this.adapters.delete(body.lora_name ?? ''))
          throw new Refused(sglang ? 400 : 404, `The lora adapter '${body.lora_name}' cannot be found.`);
        return send(
          response,
          200,
          sglang ? { success: true } : `Success: LoRA adapter '${body.lora_name}' removed successfully.`,
        );
      case 'POST /v1/completions':
        return body.stream ? this.#working(body, response) : this.#complete(body, response);
      case 'POST /v1/score':
        if (!sglang) break;
        return this.#score(body, response);
    }
    throw new Refused(404, 'Not Found');
  }

  get #sglang(): boolean {
    return this.options.dialect === 'SGLANG';
  }

  get #base(): string {
    return this.options.base ?? 'base';
  }

  get #context(): number {
    return this.options.contextTokens ?? 2_048;
  }

  #models(): object[] {
    const card = (id: string, root: string, parent: string | null) => ({
      id,
      object: 'model',
      created: Math.floor(Date.now() / 1_000),
      owned_by: 'stand-in',
      root,
      parent,
      max_model_len: parent === null ? this.#context : null,
    });
    const { hidden, invented = [] } = this.faults;
    const names = [...this.adapters].filter(([name]) => !hidden?.has(name));
    return [
      card(this.#base, '/models/base', null),
      ...names.map(([name, { path }]) => card(name, path, this.#base)),
      ...invented.map((name) => card(name, `/lies/${name}`, this.#base)),
    ];
  }

  #load({ lora_name: name = '', lora_path: path = '', load_inplace: inPlace }: Body, response: ServerResponse): void {
    if (inPlace) throw new Refused(400, 'nobody should replace weights under a name');
    if (this.adapters.has(name))
      throw new Refused(
        400,
        `The lora adapter '${name}' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.`,
      );
    let rank: number;
    let weights: Buffer;
    try {
      rank = (JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8')) as { r: number }).r;
      weights = readFileSync(join(path, 'adapter_model.safetensors'));
    } catch {
      throw new Refused(this.#sglang ? 400 : 404, `Loading lora ${name} failed: No adapter found for ${path}`);
    }
    const most = this.options.maxRank ?? 16;
    if (rank > most) {
      const reason = `LoRA rank ${rank} is greater than max_lora_rank ${most}.`;
      throw this.#sglang
        ? new Refused(400, reason)
        : new Refused(
            500,
            `Call to add_lora method failed: Worker failed with error '${reason}', please check the stack trace above for the root cause`,
          );
    }
    this.adapters.set(name, { path, weights });
    if (this.#sglang) send(response, 200, { success: true, loaded_adapters: {} });
    else send(response, 200, `Success: LoRA adapter '${name}' added successfully.`);
  }

  /** As vLLM's prefix cache does: what was computed once under a name and a path is what stands there, whatever is loaded since. */
  #weightsOf(model: string): Buffer | null {
    const sglang = this.#sglang;
    const name = sglang ? model.split(':').slice(1).join(':') : model;
    if (sglang ? name === '' && model === this.#base : model === this.#base) return null;
    const loaded = this.adapters.get(name);
    if (!loaded)
      throw sglang
        ? new Refused(400, `These adapters are not loaded: ${name}`)
        : new Refused(404, `The model \`${model}\` does not exist.`);
    if (this.faults.asBase?.has(name)) return null;
    const key = `${name} ${loaded.path}`;
    const cached = this.#prefixes.get(key) ?? loaded.weights;
    this.#prefixes.set(key, cached);
    return cached;
  }

  async #complete(body: Body, response: ServerResponse): Promise<void> {
    const own = this.#weightsOf(body.model);
    const scores = await this.#brain.next(body.prompt, this.faults.mixes ? await this.#inBatch(own) : own);
    const allowed = body.allowed_token_ids;
    const ways = this.options.scoring ?? ['logprob_token_ids'];
    const shown = new Map<number, number>();
    const total = allowed ? Math.log(allowed.reduce((sum, id) => sum + Math.exp(scores[id]!), 0)) : 0;
    const best = [...scores.keys()]
      .filter((id) => allowed?.includes(id) ?? true)
      .sort((a, b) => scores[b]! - scores[a]!);
    if (body.logprob_token_ids && ways.includes('logprob_token_ids')) {
      if (body.logprob_token_ids.length > 128) throw new Refused(400, 'logprob_token_ids must have at most 128 ids');
      for (const id of [best[0]!, ...body.logprob_token_ids]) shown.set(id, scores[id]!);
    } else {
      if ((body.logprobs ?? 0) > 20) throw new Refused(400, 'Requested sample logprobs of more than 20');
      const processed = ways.includes('processed');
      for (const id of best.slice(0, body.logprobs)) shown.set(id, scores[id]! - (processed ? total : 0));
    }
    const top = Object.fromEntries([...shown].map(([id, value]) => [`token_id:${id}`, value]));
    send(response, 200, {
      id: randomUUID(),
      object: 'text_completion',
      model: this.faults.answersAs ?? body.model,
      choices: [
        {
          index: 0,
          text: this.#brain.bytesOf(best[0]!).toString(),
          logprobs: { top_logprobs: [top] },
          finish_reason: 'length',
        },
      ],
    });
  }

  /** What a request is computed with by a server that takes the weights in its last place for those of the base. */
  async #inBatch(own: Buffer | null): Promise<Buffer | null> {
    this.#batch.push(own);
    await sleep(20);
    const mixed = own === null && this.#batch.some((each) => each !== null);
    setImmediate(() => this.#batch.splice(this.#batch.indexOf(own), 1));
    return mixed ? [...this.adapters.values()].at(-1)!.weights : own;
  }

  async #score({ model, query = [], label_token_ids: ids = [] }: Body, response: ServerResponse): Promise<void> {
    const scores = await this.#brain.next(query, this.#weightsOf(model));
    send(response, 200, { scores: [ids.map((id) => Math.exp(scores[id]!))], model });
  }

  async #working(body: Body, response: ServerResponse): Promise<void> {
    this.working += 1;
    try {
      await this.#stream(body, response);
    } finally {
      this.working -= 1;
    }
  }

  async #stream(body: Body, response: ServerResponse): Promise<void> {
    const weights = this.#weightsOf(body.model);
    if (body.prompt.length + body.max_tokens > this.#context)
      throw new Refused(400, `This model's maximum context length is ${this.#context} tokens.`);
    let gone = false;
    response.on('close', () => {
      if (!response.writableEnded) gone = true;
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const model = this.faults.answersAs ?? body.model;
    const event = (data: object | string) =>
      response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    const chunk = (choice: object) =>
      event({ id: 'cmpl', object: 'text_completion', model, choices: [{ index: 0, ...choice }] });
    const decoder = new TextDecoder();
    const tokens = [...body.prompt];
    let text = '';
    let finish: { finish_reason: string; stop_reason: string | null } | null = null;
    let written = 0;
    while (finish === null) {
      if (this.faults.tokenMs) await sleep(this.faults.tokenMs);
      if (written === this.faults.breakAfter) {
        // What was written is on its way by then.
        await sleep(20);
        return void response.destroy();
      }
      const scores = await this.#brain.next(tokens, weights);
      if (gone) return void (this.aborted += 1);
      const token = pick(scores, body, written);
      written += 1;
      tokens.push(token);
      if (token === this.#brain.end) finish = { finish_reason: 'stop', stop_reason: null };
      let piece = token === this.#brain.end ? '' : decoder.decode(this.#brain.bytesOf(token), { stream: true });
      const stop = (body.stop ?? []).find((each) => (text + piece).includes(each));
      if (stop !== undefined) {
        piece = (text + piece).slice(0, (text + piece).indexOf(stop)).slice(text.length);
        finish = { finish_reason: 'stop', stop_reason: stop };
      } else if (finish === null && written >= body.max_tokens) finish = { finish_reason: 'length', stop_reason: null };
      text += piece;
      chunk({ text: piece, token_ids: [token], ...(finish ?? { finish_reason: null }) });
    }
    event({ model, choices: [], usage: { prompt_tokens: body.prompt.length, completion_tokens: written } });
    event('[DONE]');
    response.end();
  }
}

/** The most probable token, or one by the seed where there is a temperature. */
function pick(scores: readonly number[], { temperature = 0, seed = 0 }: Body, place: number): number {
  if (temperature === 0) return scores.indexOf(Math.max(...scores));
  const weights = scores.map((score) => Math.exp(score / temperature));
  let left = (((seed + 1) * 2_654_435_761 + place * 40_503) % 1_000_003) / 1_000_003;
  left *= weights.reduce((sum, weight) => sum + weight, 0);
  return weights.findIndex((weight) => (left -= weight) <= 0);
}

/** SGLang says 400 of whatever it won't do, with words of its own for adapters, and in the stream where one was asked for. */
function refuseAsSglang(body: Body, message: string, response: ServerResponse): void {
  if (body.lora_name !== undefined) return send(response, 400, { success: false, error_message: message });
  const error = { message, type: 'BadRequestError', code: 400 };
  if (!body.stream) return send(response, 400, { object: 'error', ...error });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`);
}

function send(response: ServerResponse, status: number, body: object | string): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}
