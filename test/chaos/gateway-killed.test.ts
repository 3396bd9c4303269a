import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { processIdentity } from '../../src/platform/processes/process-identity.js';
import { eventually } from '../support/eventually.js';
import { childrenOf, processesMentioning, startGatewayProcess, type Started } from '../support/gateway-process.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

async function sql(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<pg.QueryResultRow>(text)).rows;
  } finally {
    await client.end();
  }
}

const isKeeper = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper.js');
const isGone = (pid: number) => processIdentity(pid) === null;

describe('a gateway killed with SIGKILL', () => {
  let folder: TemporaryFolder;
  let home: string;
  const gateways: ReturnType<typeof startGatewayProcess>[] = [];

  beforeEach(async () => {
    folder = await temporaryFolder();
    home = join(folder.path, 'home');
  });

  afterEach(async () => {
    for (const gateway of gateways.splice(0)) gateway.child.kill('SIGKILL');
    await eventually('nothing of the home runs', () => processesMentioning(home).length === 0);
    await folder.remove();
  });

  async function start() {
    const gateway = startGatewayProcess(home);
    gateways.push(gateway);
    const started = (await gateway.answer) as Started;
    expect(started).toHaveProperty('health.postgres.state', 'ready');
    const children = childrenOf(gateway.child.pid!);
    const keeper = children.find(isKeeper)!;
    expect(children).toHaveLength(3);
    return { ...gateway, started, children, keeper };
  }

  it('leaves no process behind, and the next start finds all data', async () => {
    const first = await start();
    await sql(first.started.postgres, 'CREATE TABLE kept AS SELECT 42 AS n');
    first.child.kill('SIGKILL');
    await eventually('PostgreSQL, Chroma and the keeper are gone', () => first.children.every(isGone));
    const second = await start();
    expect(second.started.postgres).toBe(first.started.postgres);
    expect(second.started.chroma).toBe(first.started.chroma);
    expect(await sql(second.started.postgres, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    second.child.kill('SIGTERM');
    await second.ended;
    expect(second.children.every(isGone) || (await eventually('the keeper leaves', () => isGone(second.keeper)))).toBe(
      true,
    );
  });

  it('leaves no process behind either when its keeper was killed before', async () => {
    const gateway = await start();
    process.kill(gateway.keeper, 'SIGKILL');
    await eventually('another keeper runs', () =>
      childrenOf(gateway.child.pid!).some((pid) => pid !== gateway.keeper && isKeeper(pid)),
    );
    const children = childrenOf(gateway.child.pid!);
    gateway.child.kill('SIGKILL');
    await eventually('all are gone', () => children.every(isGone));
  });

  it('together with its keeper: the next start ends what they left, then opens the data', async () => {
    const first = await start();
    await sql(first.started.postgres, 'CREATE TABLE kept AS SELECT 42 AS n');
    process.kill(first.keeper, 'SIGKILL');
    first.child.kill('SIGKILL');
    await first.ended;
    const left = first.children.filter((pid) => pid !== first.keeper);
    expect(left.some((pid) => !isGone(pid))).toBe(true);
    const second = await start();
    expect(left.every(isGone)).toBe(true);
    expect(await sql(second.started.postgres, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    second.child.kill('SIGKILL');
  });

  it('starts again although postmaster.pid names a process that lives, but is not PostgreSQL', async () => {
    const first = await start();
    first.child.kill('SIGKILL');
    await eventually('all are gone', () => first.children.every(isGone));
    const pidFile = `${process.pid}\n${join(home, 'postgres')}\n1700000000\n1\n\n127.0.0.1\n        0         0\nready\n`;
    writeFileSync(join(home, 'postgres', 'postmaster.pid'), pidFile);
    const second = await start();
    second.child.kill('SIGTERM');
    await second.ended;
  });
});
