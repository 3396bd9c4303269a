import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LlamaContext, LlamaModel } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type { ActingAdapter, AdapterFile } from '../../../src/worker-protocol/index.js';
import { readGgufHeader, type GgufHeader } from '../../formats/gguf/header.js';
import { log } from '../../log.js';
import { checkAdapter, readVerified, short } from './adapter-file.js';
import { loadAdapter, setAdapters, type NativeAdapter } from './native-context.js';

/** What acts: none is the empty text, and the order of adapters makes no difference. A sequence filled under one key is of no use under another. */
export const keyOf = (adapters: readonly ActingAdapter[] = []): string =>
  acting(adapters)
    .map(({ sha256, scale }) => `${sha256}*${scale}`)
    .join(' ');

/** Scale 0 is the same as none. */
const acting = <A extends ActingAdapter>(adapters: readonly A[]): A[] =>
  adapters.filter(({ scale }) => scale !== 0).sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));

interface Loaded {
  native: NativeAdapter;
  bytes: number;
  /** Calls under way that need it. */
  held: number;
}

/**
 * The adapters of one context. They act on all of its sequences at once, so they may be changed only while nothing is decoded: each
 * batch lets its own act first. Calls hold theirs in memory meanwhile.
 */
export class Adapters {
  private current: ActingAdapter[] = [];
  private currentKey = '';
  /** By digest, the least recently used first. */
  private readonly loaded = new Map<string, Loaded>();
  private changing: Promise<void> = Promise.resolve();
  private base: GgufHeader | undefined;

  constructor(
    private readonly model: LlamaModel,
    private readonly context: LlamaContext,
    private readonly basePath: string,
    private readonly limitBytes: number,
  ) {}

  /** Which of them act now; see `keyOf`. */
  get key(): string {
    return this.currentKey;
  }

  get acting(): ActingAdapter[] {
    return [...this.current];
  }

  /**
   * Keeps adapters in memory until the function returned is called. Those that are not there are read, and their digests compared with
   * what was read.
   * @throws ADAPTER_UNAVAILABLE, ADAPTER_DIGEST_MISMATCH, ADAPTER_INVALID, ADAPTER_WRONG_BASE
   */
  hold(adapters: readonly AdapterFile[]): Promise<() => Promise<void>> {
    const files = acting(adapters);
    const release = async (lease: readonly Loaded[]): Promise<void> => {
      for (const adapter of lease) adapter.held -= 1;
      await this.inTurn(() => this.makeRoom());
    };
    return this.inTurn(async () => {
      const lease: Loaded[] = [];
      try {
        for (const file of files) {
          const adapter = await this.take(file);
          adapter.held += 1;
          lease.push(adapter);
        }
      } catch (error) {
        for (const adapter of lease) adapter.held -= 1;
        throw error;
      }
      await this.makeRoom();
      return () => release(lease);
    });
  }

  /** Lets these act, which are held, and no others. Only while nothing is decoded. @returns whether others acted before */
  apply(adapters: readonly ActingAdapter[]): boolean {
    const files = acting(adapters);
    const key = keyOf(files);
    if (key === this.currentKey) return false;
    setAdapters(
      this.context,
      files.map(({ sha256, scale }) => [this.loaded.get(sha256)!.native, scale] as const),
    );
    this.current = files.map(({ sha256, scale }) => ({ sha256, scale }));
    this.currentKey = key;
    return true;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const change = this.changing.then(work);
    this.changing = change.then(
      () => undefined,
      () => undefined,
    );
    return change;
  }

  private async take(file: AdapterFile): Promise<Loaded> {
    const adapter = this.loaded.get(file.sha256) ?? (await this.load(file));
    this.loaded.delete(file.sha256);
    this.loaded.set(file.sha256, adapter);
    return adapter;
  }

  /** What is loaded is a copy of our own of the bytes that were hashed: the file may be replaced at any moment. */
  private async load(file: AdapterFile): Promise<Loaded> {
    const began = performance.now();
    const bytes = await readVerified(file);
    const folder = await mkdtemp(join(tmpdir(), 'graft-adapter-'));
    try {
      const copy = join(folder, `${file.sha256}.gguf`);
      await writeFile(copy, bytes, { mode: 0o600 });
      checkAdapter(copy, bytes, (this.base ??= readGgufHeader(this.basePath)));
      const native = await loadAdapter(this.model, copy).catch((error: unknown) => {
        throw new GraftError('ADAPTER_INVALID', `llama.cpp refused the adapter ${short(file.sha256)}.`, {
          cause: error,
        });
      });
      log('info', 'adapter loaded', { sha256: file.sha256, ms: Math.round(performance.now() - began) });
      return { native, bytes: bytes.length, held: 0 };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Drops those that were used longest ago, but none that acts or is held. */
  private async makeRoom(): Promise<void> {
    const currentDigests = new Set(this.current.map(({ sha256 }) => sha256));
    let bytes = [...this.loaded.values()].reduce((sum, adapter) => sum + adapter.bytes, 0);
    for (const [sha256, adapter] of [...this.loaded]) {
      if (bytes <= this.limitBytes) return;
      if (currentDigests.has(sha256) || adapter.held > 0) continue;
      this.loaded.delete(sha256);
      bytes -= adapter.bytes;
      await adapter.native.dispose();
    }
  }
}
