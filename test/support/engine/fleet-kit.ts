import { mkdirSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../../src/kernel/clock.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import type { WorkspaceId } from '../../../src/kernel/ids.js';
import { PeftFolders } from '../../../src/ship/fleet/adapters/peft-folders.js';
import { configForEngines, engineName, type EngineAdapter } from '../../../src/ship/fleet/adapters/engine-adapter.js';
import { EngineHttp } from '../../../src/ship/fleet/engine-http.js';
import { Fleet } from '../../../src/ship/fleet/fleet.js';
import { FleetKeeper } from '../../../src/ship/fleet/fleet-keeper.js';
import type { References } from '../../../src/ship/fleet/proof/reference.js';
import { Replica } from '../../../src/ship/fleet/replicas/replica.js';
import type { GenerateEvent, GenerateRequest, PromptSegment } from '../../../src/worker-protocol/index.js';
import { join } from 'node:path';
import { cheapNext, VOCABULARY } from './brain.js';

export const BASE_SHA256 = sha256('the base model');
export const WORKSPACE = '00000000-0000-7000-8000-000000000001';

/** A prompt is one token a character, so that a test says it as it likes. */
export const cheapTokens = (prompt: readonly PromptSegment[]): number[] =>
  Array.from(prompt.map(({ text }) => text).join(''), (character) => character.charCodeAt(0) % VOCABULARY);

const PROMPTS = ['one', 'two', 'three', 'four'].map((text) => cheapTokens([{ text, special: false }]));
const CANDIDATES = Array.from({ length: VOCABULARY }, (_, id) => id);

/** What the worker beside the gateway would say, had it the cheap brain. */
export const cheapReferences = (weightsOf: (adapter: EngineAdapter) => Buffer): References => {
  const rows = (weights: Buffer | null): number[][] => PROMPTS.map((tokens) => cheapNext(tokens, weights));
  const base = { prompts: PROMPTS, candidates: CANDIDATES, off: rows(null) };
  return {
    base: () => Promise.resolve(base),
    of: (adapter) => Promise.resolve({ ...base, on: rows(weightsOf(adapter)) }),
  };
};

/** Adapters of the cheap brain: `adapter(7)` says `<7>`. */
export class CheapAdapters {
  readonly #made = new Map<string, EngineAdapter>();

  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** @param version other weights that say the same */
  async adapter(says: number, { rank = 4, version = 1 } = {}): Promise<EngineAdapter> {
    const weights = weightsOf(says, version);
    const path = join(this.folder, `weights-${says}-${version}`);
    writeFileSync(path, weights);
    const { config } = configForEngines(JSON.stringify({ r: rank, lora_alpha: 8, target_modules: ['q_proj'] }), 1);
    const name = engineName(`a${says}`, config, sha256(weights));
    const folders = new PeftFolders(this.folder);
    await folders.write(name, { config, weights: path, versionId: `${says}` });
    const file = { path, sha256: sha256(`gguf ${says} ${version}`), scale: 1 };
    const served = { adapter: `a${says}`, version, file } as EngineAdapter['served'];
    const made = { name, path: folders.pathOf(name), workspaceId: WORKSPACE as WorkspaceId, served };
    this.#made.set(file.sha256, made);
    return made;
  }

  ofFile(fileSha256: string): EngineAdapter | null {
    return this.#made.get(fileSha256) ?? null;
  }
}

const weightsOf = (says: number, version: number): Buffer => Buffer.from(`adapter ${says}, weights ${version}`);

export interface CheapFleetOptions {
  /** Addresses of stand-ins. */
  urls: readonly string[];
  adapters: CheapAdapters;
  production?: () => EngineAdapter[];
  key?: string;
  quietMs?: number;
  checkEvery?: number;
  idleMs?: number;
}

/** A gateway's fleet over stand-ins with the cheap brain; `keeper.round()` looks at the engines. */
export function cheapFleet({ urls, adapters, production = () => [], key, ...settings }: CheapFleetOptions) {
  const references = cheapReferences(({ served }) => weightsOf(Number(served.adapter.slice(1)), served.version));
  const clock = systemClock;
  const log = { info: () => undefined, warn: () => undefined };
  const fleet = new Fleet({
    ...settings,
    baseSha256: () => Promise.resolve(BASE_SHA256),
    shelf: {
      ofFile: (_workspace, file) => {
        const adapter = adapters.ofFile(file.sha256);
        return Promise.resolve(adapter ? { adapter, refusal: null } : { adapter: null, refusal: 'unknown' });
      },
    },
    tokenizer: {
      tokenize: ({ prompts }) =>
        Promise.resolve({ tokens: prompts.map((prompt) => Int32Array.from(cheapTokens(prompt))) }),
    },
  });
  const keeper = new FleetKeeper({
    fleet,
    clock,
    log,
    ...settings,
    shelf: { production: () => Promise.resolve(production()), sweep: () => Promise.resolve([]) },
    addresses: () => Promise.resolve([...urls]),
    replicaAt: (url) => new Replica({ http: new EngineHttp(url, key ?? null), references, clock, log }),
    baseSha256: () => Promise.resolve(BASE_SHA256),
  });
  return { fleet, keeper };
}

export const question = (adapter: EngineAdapter | null, text = 'What is it?', maxTokens = 3): GenerateRequest => ({
  workspaceId: WORKSPACE,
  model: {
    path: '/nowhere',
    sha256: BASE_SHA256,
    contextLength: 2_048,
    ...(adapter && { adapters: [adapter.served.file] }),
  },
  prompt: [{ text, special: false }],
  maxTokens,
  temperature: 0,
  stop: [],
});

export async function textOf(events: AsyncIterable<GenerateEvent>): Promise<string> {
  for await (const event of events) if (event.type === 'done') return event.text;
  throw new Error('no end');
}
