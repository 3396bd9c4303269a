import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { newId } from '../../kernel/ids.js';
import { calibration, type Calibration, type WorkerHello } from '../../worker-protocol/index.js';

const stored = z.record(z.string(), calibration);

/** Thread counts measured at earlier starts, kept as JSON: a measurement holds for one processor, build and model. */
export class CalibrationStore {
  private known: Record<string, Calibration> | undefined;

  constructor(private readonly file: string) {}

  static key({ device, build }: Pick<WorkerHello, 'device' | 'build'>, modelSha256: string): string {
    return `${device.cpu.model} x${device.cpu.cores}; ${device.gpu?.name ?? 'no gpu'}; ${build.llama}; ${modelSha256}`;
  }

  /** A file that is missing or unreadable counts as empty: everything in it can be measured again. */
  async get(key: string): Promise<Calibration | null> {
    this.known ??= await readFile(this.file, 'utf8').then(
      (text) => stored.safeParse(JSON.parse(text)).data ?? {},
      () => ({}),
    );
    return this.known[key] ?? null;
  }

  async set(key: string, value: Calibration): Promise<void> {
    this.known = { ...this.known, [key]: value };
    await mkdir(dirname(this.file), { recursive: true });
    const temporary = `${this.file}.${newId()}`;
    await writeFile(temporary, `${JSON.stringify(this.known, null, 2)}\n`);
    await rename(temporary, this.file);
  }
}
