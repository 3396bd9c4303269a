/**
 * Files and questions that would stop a gateway that believed them, sent over HTTP to a home of its own while somebody asks plain questions one after
 * another. Each attack is repeated for some seconds; before it, the same questions are asked alone. The claim: each is refused with its code, and nobody
 * waits two seconds more than alone.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../src/kernel/safetensors.js';
import { followAnyRun } from '../src/cli/call.js';
import { GraftClient, GraftClientError } from '../src/client/graft-client.js';
import { sha256 } from '../src/kernel/hashing.js';
import {
  AddDatasetVersionDocument,
  CreateDatasetDocument,
  ImportAdapterDocument,
  RegisterModelDocument,
} from '../src/client/operations/index.js';
import { HOSTILE_TEMPLATES, tinyModel } from '../test/support/tiny-model.js';
import { writePeft } from '../test/support/tiny-peft.js';
import { startProgram } from './support/program.js';
import { describeMachine, median, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const ALONE = 5;
/** How long an attack is repeated at least, in ms. */
const ATTACK_MS = 6_000;
const ASK = 'query ($input: AskInput!) { ask(input: $input) { usage { generatedTokens } } }';

/** Sent once. @returns how it ended, by code */
type Attack = () => Promise<string>;

const folder = await mkdtemp(join(tmpdir(), 'graft-bench-attacks-'));
const program = await startProgram(join(folder, 'home'), MODEL);
const client = new GraftClient(program.url);

/** @param send what asks for a run */
async function endOf(send: () => Promise<string>): Promise<string> {
  try {
    await followAnyRun(client, await send());
    return 'SUCCEEDED';
  } catch (error) {
    if (error instanceof GraftClientError) return error.code;
    throw error;
  }
}

async function written(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, `${randomUUID()}-${name}`);
  await writeFile(path, bytes);
  return path;
}

const model =
  (path: string, name = 'hostile'): Attack =>
  () =>
    endOf(async () => {
      const input = { fileId: await client.upload(path), name, idempotencyKey: randomUUID() };
      return (await client.request(RegisterModelDocument, { input })).registerModel.run.id;
    });

const adapter =
  ({ config, weights }: { config: string; weights: string }): Attack =>
  () =>
    endOf(async () => {
      const files = { config: await client.upload(config), weights: await client.upload(weights) };
      const named = { adapter: 'hostile', task: 'INSTRUCTION', model: 'tiny' } as const;
      const input = { ...files, ...named, idempotencyKey: randomUUID() };
      return (await client.request(ImportAdapterDocument, { input })).importAdapter.run.id;
    });

const rows =
  (path: string): Attack =>
  () =>
    endOf(async () => {
      const files = [{ file: await client.upload(path) }];
      const input = { dataset: 'hostile', files, idempotencyKey: randomUUID() };
      return (await client.request(AddDatasetVersionDocument, { input })).addDatasetVersion.run.id;
    });

const body =
  (text: string): Attack =>
  async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${program.url}/graphql`, { method: 'POST', headers, body: text });
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    return errors[0]!.extensions.code;
  };

/** 400 names for the same 4 MB. */
function sharedBytes(): Buffer {
  const tensor = { dtype: 'F16', shape: [4, 500_000], data_offsets: [0, 4_000_000] };
  const names = Array.from({ length: 400 }, (_, i) => `base_model.model.model.layers.${i}.mlp.up_proj.lora_A.weight`);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(names.map((name) => [name, tensor]))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4_000_000)]);
}

/** A model with a list of so many empty texts, each of which is the eight zeros of its length; made of one with a thousand. */
function emptyTexts(count: number): Buffer {
  const key = 'x.texts';
  const strings = Array.from({ length: 1_000 }, () => '');
  const whole = tinyModel({ metadata: { [key]: { strings } } });
  // Behind the key: that it is a list, and of texts, then how many.
  const counted = whole.indexOf(key) + key.length + 2 * 4;
  whole.writeBigUInt64LE(BigInt(count), counted);
  const texts = counted + 8;
  return Buffer.concat([whole.subarray(0, texts), Buffer.alloc(8 * (count - strings.length)), whole.subarray(texts)]);
}

async function attacks(): Promise<Record<string, Attack>> {
  const tiny = tinyModel({ variedGains: true });
  const tinyPath = await written('tiny.gguf', tiny);
  const registered = await model(tinyPath, 'tiny')();
  if (registered !== 'SUCCEEDED') throw new Error(`the tiny model is not registered: ${registered}`);
  await client.request(CreateDatasetDocument, { input: { name: 'hostile', task: 'CLASSIFICATION', language: 'en' } });
  const peft = await writePeft(folder, { path: tinyPath, sha256: sha256(tiny) });
  const config = await written('adapter_config.json', peft.config);
  const weights = await written('adapter_model.safetensors', peft.weights);
  const settings = JSON.parse(peft.config.toString('utf8')) as object;
  const configured = (text: string) => written('adapter_config.json', text);
  const { metadata, tensors } = decodeSafetensors(peft.weights);
  for (const { data } of tensors.values()) data.fill(3e38);
  const templates = await Promise.all(
    Object.entries(HOSTILE_TEMPLATES).map(
      async ([what, chatTemplate]) =>
        [
          `a model whose chat template ${what}`,
          model(await written('hostile.gguf', tinyModel({ chatTemplate }))),
        ] as const,
    ),
  );
  return {
    ...Object.fromEntries(templates),
    'a model with 30 million empty texts': model(await written('hostile.gguf', emptyTexts(30_000_000))),
    'a model with an endless context': model(await written('hostile.gguf', tinyModel({ contextLength: 2 ** 32 - 1 }))),
    'an adapter of 400 tensors in the same 4 MB': adapter({
      config,
      weights: await written('adapter_model.safetensors', sharedBytes()),
    }),
    'an adapter with weights of 3e38': adapter({
      config,
      weights: await written('adapter_model.safetensors', encodeSafetensors({ metadata, tensors })),
    }),
    'an adapter with an alpha of 1e308': adapter({
      config: await configured(JSON.stringify({ ...settings, lora_alpha: 1e308 })),
      weights,
    }),
    'an adapter whose configuration is a million brackets': adapter({
      config: await configured('['.repeat(1_000_000)),
      weights,
    }),
    'rows of 10 MB of brackets': rows(await written('rows.jsonl', '['.repeat(10_000_000))),
    'a request of 900,000 brackets': body(`{"query":"{ __typename }","variables":${'['.repeat(900_000)}`),
    'a query of 100,000 brackets': body(JSON.stringify({ query: '{a'.repeat(100_000) })),
  };
}

let asked = 0;
/** In ms. */
async function plain(): Promise<number> {
  asked += 1;
  const question = `Name ${asked + 2} things that a lighthouse keeper needs.`;
  const began = performance.now();
  await client.request(ASK, { input: { question, strategy: 'BASE', generation: { maxTokens: 32 } } });
  return performance.now() - began;
}

try {
  const all = await attacks();
  const measured = [];
  await plain();
  for (const [name, attack] of Object.entries(all)) {
    const alone: number[] = [];
    while (alone.length < ALONE) alone.push(await plain());
    const outcomes = new Set<string>();
    let over = false;
    const began = performance.now();
    let times = 0;
    const attacking = (async () => {
      for (; performance.now() - began < ATTACK_MS; times += 1) outcomes.add(await attack());
    })().finally(() => (over = true));
    const beside: number[] = [];
    while (!over) beside.push(await plain());
    await attacking;
    const took = (performance.now() - began) / Math.max(times, 1);
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
    const most = Math.max(...beside) - median(alone);
    measured.push({
      attack: name,
      'answered with': [...outcomes].sort().join(', '),
      'after, mean': seconds(took),
      times,
      'plain questions beside it': beside.length,
      'alone, median': seconds(median(alone)),
      'beside it, median': seconds(median(beside)),
      'more than alone, most': seconds(most),
      'two seconds at most': most <= 2_000 ? 'yes' : 'no',
    });
    console.error(JSON.stringify(measured.at(-1)));
  }
  const { status } = await fetch(`${program.url}/readyz`);
  printResult('attacks', { machine: describeMachine(), rows: measured, model: MODEL, readyAfterwards: status === 200 });
} finally {
  client.close();
  await program.stop();
  await rm(folder, { recursive: true, force: true });
}
