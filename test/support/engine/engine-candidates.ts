/** What the contracts of engines are held against: fleets over stand-ins that compute with the tiny model, and over a real vLLM. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { EngineAdapter } from '../../../src/ship/fleet/adapters/engine-adapter.js';
import type { Dialect } from '../../../src/ship/fleet/dialects/dialect.js';
import { sglang } from '../../../src/ship/fleet/dialects/sglang.js';
import { vllm } from '../../../src/ship/fleet/dialects/vllm.js';
import { EngineHttp } from '../../../src/ship/fleet/engine-http.js';
import { Fleet } from '../../../src/ship/fleet/fleet.js';
import type { References } from '../../../src/ship/fleet/proof/reference.js';
import { Replica } from '../../../src/ship/fleet/replicas/replica.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import type { WorkspaceId } from '../../../src/kernel/ids.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { AdapterFile, ModelFile, PromptSegment } from '../../../src/worker-protocol/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { TINY_CONTEXT, writeTinyModel } from '../tiny-model.js';
import { writePeft } from '../tiny-peft.js';
import { realModel, sharedWorker, startWorker, workspaceId, type TestWorker } from '../worker.js';
import { TinyBrain } from './brain.js';
import type { Candidate } from './engine-port.js';
import { EngineServer } from './engine-server.js';
import type { ServerCandidate } from './engine-dialect.js';

export const PROMPT: PromptSegment[] = [
  { text: '<|im_start|>', special: true },
  { text: 'user\nWhere does the river end?', special: false },
  { text: '<|im_end|>', special: true },
  { text: '\n', special: false },
  { text: '<|im_start|>', special: true },
  { text: 'assistant\n', special: false },
];
const TINY_LABELS = Array.from({ length: 150 }, (_, i) => i + 40);
const REAL_LABELS = Array.from({ length: 150 }, (_, i) => 1_000 + 17 * i);

/** A fleet over one engine, with what the engine itself is asked. */
export type FleetCandidate = Candidate & { server: ServerCandidate };

/** A worker with a model and two adapters, in PEFT's form and in the worker's. */
interface Served {
  worker: TestWorker;
  model: ModelFile;
  prompt: PromptSegment[];
  labels: number[];
  /** Folders of PEFT's. */
  folders: { peft: string; other: string; wide: string };
  adapter: AdapterFile;
  dispose(): Promise<void>;
}

/** An adapter whose rank is beyond what any server here is started with. */
const WIDE_RANK = 64;

/** @returns what a folder's adapter is called on engines */
const nameOf = (folder: string): string =>
  `tiny@${sha256(readFileSync(join(folder, 'adapter_model.safetensors'))).slice(0, 12)}`;

/** Another rank in the configuration than the server takes. */
function widened(from: string, to: string): string {
  cpSync(from, to, { recursive: true });
  const path = join(to, 'adapter_config.json');
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), r: WIDE_RANK }));
  return to;
}

async function tiny(): Promise<Served & { brain: TinyBrain }> {
  const { path: folder, remove } = await temporaryFolder();
  const model = writeTinyModel(join(folder, 'tiny.gguf'));
  const [peft, other] = [join(folder, 'peft'), join(folder, 'other')];
  const made = await writePeft(peft, model);
  const second = await writePeft(other, model, { seed: 2 });
  const file = (at: string, gguf: Buffer) => ({ path: join(at, 'adapter.gguf'), sha256: sha256(gguf), scale: 1 });
  const [adapter, another] = [file(peft, made.gguf), file(other, second.gguf)];
  const worker = await startWorker({ worker: { contextTokens: TINY_CONTEXT } });
  const known = new Map([
    [sha256(made.weights), adapter],
    [sha256(second.weights), another],
  ]);
  return {
    worker,
    model,
    adapter,
    prompt: PROMPT,
    labels: TINY_LABELS,
    folders: { peft, other, wide: widened(peft, join(folder, 'wide')) },
    brain: new TinyBrain(worker.client, model, known),
    async dispose() {
      await worker.dispose();
      await remove();
    },
  };
}

/** The reader that ships on the default model, and the same turned around. */
async function real(): Promise<Served> {
  const { path: folder, remove } = await temporaryFolder();
  const [peft, other] = [join(folder, 'peft'), join(folder, 'other')];
  cpSync(join(packageRoot(), 'readers', 'smollm2-135m-instruct'), peft, { recursive: true });
  cpSync(peft, other, { recursive: true });
  const config = join(other, 'adapter_config.json');
  const { lora_alpha: alpha, ...rest } = JSON.parse(readFileSync(config, 'utf8')) as { lora_alpha: number };
  writeFileSync(config, JSON.stringify({ ...rest, lora_alpha: -2 * alpha }));
  const path = join(peft, 'adapter.gguf');
  const worker = await sharedWorker();
  return {
    worker,
    prompt: PROMPT,
    labels: REAL_LABELS,
    model: { ...(await realModel()), contextLength: 1_024 },
    folders: { peft, other, wide: widened(peft, join(folder, 'wide')) },
    adapter: { path, sha256: sha256(readFileSync(path)), scale: 1 },
    async dispose() {
      await worker.dispose();
      await remove();
    },
  };
}

/** The same question with more words. */
const saying = (prompt: PromptSegment[], more: string): PromptSegment[] =>
  prompt.map((segment, i) => (i === 1 ? { ...segment, text: `${segment.text}${more}` } : segment));

const log = { info: () => undefined, warn: () => undefined };

/** A fleet that was shown to serve what the worker serves. */
async function fleetOf(
  url: string,
  { worker: { client }, model, adapter, folders: { peft }, prompt, labels: candidates }: Served,
): Promise<{ engine: Fleet; replica: () => Replica; held: EngineAdapter; tokens: number[] }> {
  const served = { adapter: 'tiny', version: 1, file: adapter } as unknown as EngineAdapter['served'];
  const held: EngineAdapter = { name: nameOf(peft), path: peft, workspaceId: workspaceId as WorkspaceId, served };
  const prompts = ['', ' Why?', ' Say when.', ' Who knows?'].map((more) => saying(prompt, more));
  const scores = async (adapters: AdapterFile[]) => {
    const rows: number[][] = [];
    for (const each of prompts) {
      const asked = { workspaceId, model: { ...model, adapters }, prompt: each, candidates };
      rows.push((await client.scoreNext(asked)).logProbabilities);
    }
    return rows;
  };
  const ids = (await client.tokenize({ workspaceId, model, prompts })).tokens.map((each) => Array.from(each));
  const [tokens] = ids;
  const base = { prompts: ids, candidates, off: await scores([]) };
  const on = await scores([adapter]);
  const references: References = { base: () => Promise.resolve(base), of: () => Promise.resolve({ ...base, on }) };
  const replica = () => new Replica({ http: new EngineHttp(url), references, clock: systemClock, log });
  const engine = new Fleet({
    baseSha256: () => Promise.resolve(model.sha256),
    shelf: { ofFile: () => Promise.resolve({ adapter: held, refusal: null }) },
    tokenizer: client,
  });
  const [only] = (engine.replicas = [replica()]);
  await only!.look(new AbortController().signal);
  if (only!.reason !== null) throw new Error(only!.reason);
  await engine.require(held);
  return { engine, replica, held, tokens: tokens! };
}

/** @param running how many answers the server works on */
async function fleetCandidate(
  url: string,
  made: Served,
  how: { dialect: Dialect; tolerance: number; running: () => Promise<number>; dispose: () => Promise<void> },
): Promise<FleetCandidate> {
  const { engine, replica, held, tokens } = await fleetOf(url, made);
  const { model, adapter, prompt, labels, worker, folders } = made;
  const { dialect, tolerance, running } = how;
  const http = new EngineHttp(url);
  const [other, wide] = [folders.other, folders.wide].map((path) => ({
    name: `${basename(path)}@${nameOf(path).split('@')[1]}`,
    path,
  }));
  const dispose = async () => {
    engine.stop();
    await dialect.unload(http, held.name, AbortSignal.timeout(10_000)).catch(() => undefined);
    await how.dispose();
    await made.dispose();
  };
  return {
    engine,
    model,
    adapter,
    prompt,
    labels,
    reference: worker.client,
    tolerance,
    dispose,
    server: { http, dialect, tokens, labels, fleet: engine, replica, held, other: other!, wide: wide!, running },
  };
}

export async function standIn(
  name: 'VLLM' | 'SGLANG',
  scoring: readonly ('logprob_token_ids' | 'processed')[],
): Promise<FleetCandidate> {
  const made = await tiny();
  const server = await EngineServer.start({ brain: made.brain, dialect: name, scoring });
  return fleetCandidate(server.url, made, {
    dialect: name === 'VLLM' ? vllm : sglang,
    tolerance: 1e-4,
    running: () => Promise.resolve(server.working),
    dispose: () => server.kill(),
  });
}

/** @param url of a server with the default model's weights, as `scripts/vllm` starts one */
export async function realVllm(url: string): Promise<FleetCandidate> {
  return fleetCandidate(url, await real(), {
    dialect: vllm,
    tolerance: 0.1,
    async running() {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return Number(/^vllm:num_requests_running\{.*\} ([\d.e+]+)$/m.exec(metrics)![1]);
    },
    dispose: () => Promise.resolve(),
  });
}

/** The worker itself, which needs no fleet. */
export async function workerCandidate(): Promise<Candidate> {
  const { worker, model, adapter, prompt, labels, dispose } = await tiny();
  return { engine: worker.client, reference: null, tolerance: 1e-4, model, adapter, prompt, labels, dispose };
}
