import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { newId } from '../../kernel/ids.js';
import type { WorkerHello } from '../../worker-protocol/index.js';

/** What was measured at earlier starts, kept as JSON: a measurement holds for one processor, build and model. */
export class MeasurementStore<T> {
  private known: Record<string, T> | undefined;

  constructor(
    private readonly file: string,
    private readonly schema: z.ZodType<T>,
  ) {}

  /** @param engine the one of the worker's engines that the figures are of */
  static key({ device, build }: Pick<WorkerHello, 'device' | 'build'>, engine: string, modelSha256: string): string {
    const { cpu, gpu } = device;
    return `${[cpu.model, ...cpu.flags].join(' ')} x${cpu.cores}; ${gpu?.name ?? 'no gpu'}; ${build[engine]}; ${modelSha256}`;
  }

  async get(key: string): Promise<T | null> {
    return (await this.all())[key] ?? null;
  }

  /** Everything that is known, by its key. A file that is missing or unreadable counts as empty: all of it can be measured again. */
  async all(): Promise<Readonly<Record<string, T>>> {
    return (this.known ??= await readFile(this.file, 'utf8')
      .then((text) => z.record(z.string(), this.schema).parse(JSON.parse(text)))
      .catch(() => ({})));
  }

  async set(key: string, value: T): Promise<void> {
    this.known = { ...(await this.all()), [key]: value };
    await mkdir(dirname(this.file), { recursive: true });
    await writeWhole(this.file, `${JSON.stringify(this.known, null, 2)}\n`);
  }
}

/** Whole or not at all, also when the power fails. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${newId()}`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
