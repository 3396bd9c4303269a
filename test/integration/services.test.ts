import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/platform/package-root.js';
import { lockHome, removeHome, startServices } from '../../src/platform/processes/index.js';
import { processSpace } from '../../src/platform/processes/process-identity.js';
import { planChroma } from '../../src/platform/processes/chroma.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { eventually } from '../support/eventually.js';
import {
  processesMentioning,
  startGatewayProcess,
  type StartFailure,
  type Started,
} from '../support/gateway-process.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const root = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
/** What runs a program as a container does: with process ids of its own. */
const CONTAINED = ['-Urpf', '--mount-proc', '--kill-child'];
const contains = spawnSync('unshare', [...CONTAINED, 'true']).status === 0;
const external: [string, string] = [process.env.GRAFT_TEST_DATABASE_URL!, process.env.GRAFT_TEST_CHROMA_URL!];

/** Runs the test or says why it can't be run here. */
const itIf = (possible: boolean, reason: string) => {
  if (!possible) process.stderr.write(`skipped: ${reason}\n`);
  return possible ? it : it.skip;
};

describe('services', () => {
  let folder: TemporaryFolder;
  let home: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    home = join(folder.path, 'home');
  });

  afterEach(async () => {
    await eventually('nothing of the home runs', () => processesMentioning(home).length === 0);
    await removeHome(home);
    await folder.remove();
  });

  it('given from outside are used, and nothing is started', async () => {
    const services = await startServices({
      home,
      databaseUrl: external[0],
      chromaUrl: external[1],
      log: silentLogger(),
    });
    expect(services).toMatchObject({ databaseUrl: external[0], chroma: { url: external[1] } });
    expect(services.health()).toMatchObject({ postgres: { state: 'external' }, chroma: { state: 'external' } });
    expect(processesMentioning(home)).toEqual([]);
    await services.stop();
  });

  it('one given, one embedded work together', async () => {
    const services = await startServices({ home, databaseUrl: external[0], log: silentLogger() });
    expect(services.databaseUrl).toBe(external[0]);
    expect((await fetch(`${services.chroma.url}/api/v2/heartbeat`)).ok).toBe(true);
    expect(existsSync(join(home, 'postgres'))).toBe(false);
    await services.stop();
  });

  it('end as in a crash where another has taken their home, and leave what that one wrote', async () => {
    const { kill } = process;
    const told = jest
      .spyOn(process, 'kill')
      .mockImplementation(
        (pid, signal) => (pid === process.pid && signal === 'SIGTERM') || kill.call(process, pid, signal),
      );
    const services = await startServices({ home, databaseUrl: external[0], log: silentLogger() });
    const theirs = JSON.stringify({ pid: 1, identity: 'theirs', nonce: 'x' });
    for (const file of ['lock', join('run', 'chroma.json')]) writeFileSync(join(home, file), theirs);
    await eventually('the server to end', () => processesMentioning(join(home, 'chroma')).length === 0);
    expect(told).toHaveBeenCalledWith(process.pid, 'SIGTERM');
    await services.stop();
    told.mockRestore();
    for (const file of ['lock', join('run', 'chroma.json')])
      expect(readFileSync(join(home, file), 'utf8')).toBe(theirs);
    for (const file of ['lock', join('run', 'chroma.json')]) rmSync(join(home, file));
  });

  it('go with their home alone: a folder that Graft did not make, and one in which somebody lives, stay', async () => {
    mkdirSync(join(home, 'photos'), { recursive: true });
    // It would be removed with the photos.
    await expect(
      startServices({ home, databaseUrl: external[0], chromaUrl: external[1], log: silentLogger() }),
    ).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('photos lies in it') as string,
    });
    for (const folder of [home, homedir(), process.cwd(), '/'])
      await expect(removeHome(folder)).rejects.toMatchObject({ code: 'SETUP_FAILED' });
    expect(existsSync(join(home, 'photos'))).toBe(true);
    rmSync(join(home, 'photos'), { recursive: true });
    expect(await removeHome(home)).toEqual([home]);
  });

  it('listen on the loopback interface alone, and keep the password from other users', async () => {
    const services = await startServices({ home, chromaUrl: external[1], log: silentLogger() });
    expect(statSync(join(home, 'postgres.json')).mode & 0o777).toBe(0o600);
    const port = new URL(services.databaseUrl).port;
    const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
    const listening = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`:${hex} 00000000`));
    expect(listening.map((line) => line.trim().split(/\s+/)[1])).toEqual([`0100007F:${hex}`]);
    await services.stop();
  });

  itIf(root, 'not root: no folder keeps PostgreSQL’s user out')(
    'run for root in a folder that only root may enter, and go entirely with their home',
    async () => {
      const closed = await temporaryFolder(0o700);
      const inside = join(closed.path, 'home');
      const services = await startServices({ home: inside, chromaUrl: external[1], log: silentLogger() });
      const record = JSON.parse(readFileSync(join(inside, 'postgres.json'), 'utf8')) as { folder: string };
      expect(record.folder).toMatch(/^\/var\//);
      expect(statSync(record.folder).uid).not.toBe(0);
      await services.stop();
      expect(await removeHome(inside)).toHaveLength(2);
      expect(existsSync(join(record.folder, '..'))).toBe(false);
      await closed.remove();
    },
  );

  const readable = !root || (statSync(packageRoot()).mode & 0o005) === 0o005;
  itIf(root && readable, root ? 'the program lies where only root may enter' : 'not root: all the other tests show it')(
    'run for an ordinary user, in a folder closed to all others',
    async () => {
      mkdirSync(home, { mode: 0o700 });
      chownSync(home, NOBODY.uid, NOBODY.gid);
      const gateway = startGatewayProcess(home, NOBODY);
      expect(await gateway.answer).toMatchObject({
        health: { postgres: { state: 'ready' }, chroma: { state: 'ready' } },
      });
      expect(statSync(join(home, 'postgres')).uid).toBe(NOBODY.uid);
      gateway.child.kill('SIGTERM');
      await gateway.ended;
    },
  );

  it('refuse a folder that can’t be written', async () => {
    writeFileSync(home, 'a file');
    await expect(startServices({ home, log: silentLogger() })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });

  it('say that the data is gone rather than begin anew', async () => {
    const options = { home, chromaUrl: external[1], log: silentLogger() };
    await (await startServices(options)).stop();
    const { rmSync } = await import('node:fs');
    rmSync(join(home, 'postgres'), { recursive: true });
    await expect(startServices(options)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('data of this home is gone') as string,
    });
  });
});

describe('a home', () => {
  let folder: TemporaryFolder;
  let home: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    home = folder.path;
  });
  afterEach(() => folder.remove());

  it('in use is refused to a second start, which names the process and changes nothing', async () => {
    const first = startGatewayProcess(home, { urls: external });
    expect((await first.answer) as Started).toHaveProperty('postgres');
    const second = startGatewayProcess(home, { urls: external });
    const { error } = (await second.answer) as StartFailure;
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      message: `The home ${home} is in use by process ${first.child.pid}.`,
    });
    await second.ended;
    expect(second.child.exitCode).toBe(1);
    await expect(removeHome(home)).rejects.toMatchObject({ code: 'SETUP_FAILED' });
    first.child.kill('SIGTERM');
    await first.ended;
    (await lockHome(home)).release();
  });

  it('is free when the process that held it was killed', async () => {
    const first = startGatewayProcess(home, { urls: external });
    await first.answer;
    first.child.kill('SIGKILL');
    await first.ended;
    (await lockHome(home)).release();
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  it('is lost to another that took it, and to one that took it and has gone again', async () => {
    for (const after of [(path: string) => writeFileSync(path, JSON.stringify({ pid: 1, nonce: 'x' })), rmSync]) {
      let lost = 0;
      const lock = await lockHome(home, () => (lost += 1));
      after(join(home, 'lock'));
      await eventually('its holder is told', () => lost > 0);
      lock.release();
      rmSync(join(home, 'lock'), { force: true });
    }
  });

  it('is free when the process id in its lock has gone to another process', async () => {
    writeFileSync(
      join(home, 'lock'),
      JSON.stringify({ pid: process.pid, identity: 'gone', space: processSpace(), nonce: 'x' }),
    );
    (await lockHome(home)).release();
  });

  itIf(contains, 'no PID namespace can be made here')(
    'in use by another container is refused, and free when that has been dead for a while',
    async () => {
      const module = join(packageRoot(), 'dist', 'src', 'platform', 'processes', 'home-lock.js');
      const script = `const { lockHome } = await import(${JSON.stringify(module)});
        await lockHome(${JSON.stringify(home)}); console.log('taken'); setInterval(() => undefined, 1000);`;
      const node = [process.execPath, '--input-type=module', '-e', script];
      const other = spawn('unshare', [...CONTAINED, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        expect(String((await once(other.stdout, 'data'))[0])).toBe('taken\n');
        await expect(lockHome(home)).rejects.toMatchObject({
          code: 'SETUP_FAILED',
          hint: expect.stringContaining('Stop the other container') as string,
        });
      } finally {
        other.kill('SIGKILL');
        await once(other, 'close');
      }
      const aMinuteAgo = () => new Date(Date.now() - 60_000);
      const touch = () => utimesSync(join(home, 'lock'), aMinuteAgo(), aMinuteAgo());
      touch();
      // As by a holder that lives, whose clock is behind.
      const beat = setInterval(touch, 500);
      await expect(lockHome(home)).rejects.toMatchObject({ elsewhere: true });
      clearInterval(beat);
      (await lockHome(home)).release();
      expect(existsSync(join(home, 'lock'))).toBe(false);
    },
  );

  it('left by a killed process is taken by exactly one of many starts', async () => {
    writeFileSync(join(home, 'lock'), JSON.stringify({ pid: 1, identity: 'gone', space: processSpace(), nonce: 'x' }));
    const module = join(packageRoot(), 'dist', 'src', 'platform', 'processes', 'home-lock.js');
    // Each holds the lock until all have tried.
    const script = `const { lockHome } = await import(${JSON.stringify(module)});
      try { await lockHome(${JSON.stringify(home)}); console.log('taken'); } catch { console.log('refused'); }
      await new Promise((resolve) => setTimeout(resolve, 2500));`;
    const results = await Promise.all(
      Array.from({ length: 8 }, () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])),
    );
    const outcomes = results.map(({ stdout }) => stdout.trim());
    expect(outcomes.filter((each) => each === 'taken')).toHaveLength(1);
    expect(outcomes.filter((each) => each === 'refused')).toHaveLength(7);
  });
});

describe('a machine that can’t run the packaged Chroma', () => {
  let folder: TemporaryFolder;
  let broken: string;
  const path = process.env.PATH;

  beforeEach(async () => {
    folder = await temporaryFolder();
    broken = join(folder.path, 'broken.mjs');
    writeFileSync(broken, `console.error("Error: libc.so.6: version 'GLIBC_2.39' not found"); process.exit(1);`);
    process.env.PATH = folder.path;
  });
  afterEach(async () => {
    process.env.PATH = path;
    await folder.remove();
  });

  it('is told the reason and three ways out', async () => {
    await expect(planChroma(folder.path, silentLogger(), broken)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('GLIBC_2.39') as string,
      hint: expect.stringMatching(/CHROMA_URL.*chroma.*PATH.*glibc 2\.39/) as string,
    });
  });

  it('uses a `chroma` on the PATH', async () => {
    writeFileSync(join(folder.path, 'chroma'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    expect(await planChroma(folder.path, silentLogger(), broken)).toMatchObject({ program: 'chroma', args: [] });
  });
});
