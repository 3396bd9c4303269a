import { readdirSync, readFileSync } from 'node:fs';
import { GraftError } from '../../../src/kernel/errors.js';
import { IsolatedMaker } from '../../../src/sources/data/datasets/making/isolated-maker.js';
import { dataFolder, writtenFile } from '../../support/data-files.js';
import { eventually } from '../../support/eventually.js';

/** Ids of the processes that this one started to look at files and make versions. */
function makers(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const [, parent] = /\) \S+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return Number(parent) === process.pid && command.includes('maker-process.js');
    } catch {
      return false;
    }
  });
}

describe('the processes that look at files and make versions', () => {
  const maker = new IsolatedMaker();
  let folder: string;
  let before: number[];
  const look = async (text: string, name = 'rows.jsonl') => maker.sniff(await writtenFile(folder, name, text), folder);
  const started = () => makers().filter((pid) => !before.includes(pid));
  beforeAll(async () => {
    [folder, before] = [await dataFolder(), makers()];
  });
  afterAll(() => maker.close());

  it('are one for tasks one after the other, also behind a file that is refused', async () => {
    await look('{"text":"a","label":"b"}\n');
    const [pid, ...others] = started();
    expect([pid, others]).toEqual([expect.any(Number), []]);
    await expect(look('PAR1 and no more PAR1', 'rows.parquet')).rejects.toBeInstanceOf(GraftError);
    await look('{"text":"c","label":"d"}\n');
    expect(started()).toEqual([pid]);
  });

  it('are one for each of tasks at once, and new where one has died', async () => {
    const text = '{"text":"a","label":"b"}\n';
    const files = await Promise.all(['a.jsonl', 'b.jsonl'].map((name) => writtenFile(folder, name, text)));
    await Promise.all(files.map((file) => maker.sniff(file, folder)));
    expect(started()).toHaveLength(2);
    for (const pid of started()) process.kill(pid, 'SIGKILL');
    await eventually('their end', () => Promise.resolve(started().length === 0));
    await look('{"text":"a","label":"b"}\n');
    expect(started()).toHaveLength(1);
  });

  it('end with whoever started them', async () => {
    maker.close();
    await eventually('their end', () => Promise.resolve(started().length === 0));
  });
});
