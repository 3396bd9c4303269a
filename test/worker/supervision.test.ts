import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CRASH_LIMITS, CrashPolicy } from '../../src/platform/worker/crash-policy.js';
import { workerEnvironment } from '../../src/platform/worker/spawn.js';
import type { GenerateRequest, ModelFile } from '../../src/worker-protocol/index.js';
import { writeTinyModel } from '../support/tiny-model.js';
import { until } from '../support/eventually.js';
import { collect, doneOf, isAlive, startWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), 'graft-supervision-'));
const model: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
const request = (more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  workspaceId,
  model,
  prompt: [{ text: 'Once', special: false }],
  maxTokens: 5,
  temperature: 0,
  stop: [],
  ...more,
});
let worker: TestWorker | undefined;

afterEach(async () => {
  await worker?.dispose();
  worker = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pidOf = ({ client }: TestWorker): number => client.status.pid ?? 0;

describe('crashes', () => {
  it('ends an answer with WORKER_CRASHED when the worker is killed in the middle, and answers the next call', async () => {
    worker = await startWorker();
    const { client } = worker;
    const events = client.generate(request({ maxTokens: 2_000 }));
    await events.next();
    const first = pidOf(worker);
    process.kill(first, 'SIGKILL');
    await expect(collect(events)).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    // Made while it restarts, this call waits for the new worker.
    expect(client.status.state).toBe('restarting');
    expect(doneOf(await collect(client.generate(request()))).generatedTokens).toBe(5);
    expect(client.status).toMatchObject({ state: 'ready', restarts: 1 });
    expect(pidOf(worker)).not.toBe(first);
    expect(worker.log.find(({ message }) => message === 'the worker died')?.fields).toMatchObject({ how: 'SIGKILL' });
  });

  it('gives up waiting for a restart at the call’s deadline', async () => {
    worker = await startWorker({ limits: { firstDelayMs: 5_000 } });
    process.kill(pidOf(worker), 'SIGKILL');
    await until(() => worker?.client.status.state === 'restarting');
    await expect(collect(worker.client.generate(request(), { deadlineMs: 100 }))).rejects.toMatchObject({
      code: 'WORKER_UNAVAILABLE',
    });
  });

  it('opens the breaker at the third crash within a minute, fails at once, and recovers by a trial', async () => {
    worker = await startWorker({ limits: { firstDelayMs: 1, trialMs: 1_500 } });
    const { client } = worker;
    for (let crash = 1; crash <= 3; crash++) {
      await until(() => client.status.state === 'ready');
      const pid = pidOf(worker);
      process.kill(pid, 'SIGKILL');
      await until(() => client.status.pid !== pid);
    }
    expect(client.status.state).toBe('broken');
    const began = performance.now();
    await expect(collect(client.generate(request()))).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
    expect(performance.now() - began).toBeLessThan(500);
    await until(() => client.status.state === 'ready');
    expect(doneOf(await collect(client.generate(request()))).generatedTokens).toBe(5);
  });

  it('kills and restarts a worker that gives no sign of life', async () => {
    worker = await startWorker({ timings: { silenceMs: 2_500 } });
    const { client } = worker;
    const stuck = pidOf(worker);
    process.kill(stuck, 'SIGSTOP');
    await expect(collect(client.generate(request()))).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    expect(isAlive(stuck)).toBe(false);
    expect(doneOf(await collect(client.generate(request()))).generatedTokens).toBe(5);
  });

  it('does not take a pause of the gateway, or of the whole machine, for the death of a healthy worker', async () => {
    const script = join(folder, 'paused.mjs');
    writeFileSync(
      script,
      `import { ServeWorker } from ${JSON.stringify(join(process.cwd(), 'dist/src/platform/worker/index.js'))};
       const quiet = { debug() {}, info() {}, warn() {}, error() {} };
       const timings = { silenceMs: 1000 };
       const client = new ServeWorker({ home: ${JSON.stringify(folder)}, log: quiet, gpu: false, timings });
       await client.start();
       setInterval(() => console.log(JSON.stringify(client.status)), 50);`,
    );
    const gateway = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let status: { pid?: number; state?: string; restarts?: number } = {};
      let lines = 0;
      gateway.stdout.on('data', (data: Buffer) => {
        const whole = data.toString().trimEnd().split('\n');
        lines += whole.length;
        status = JSON.parse(whole.at(-1) ?? '{}') as typeof status;
      });
      await until(() => lines > 2);
      const { pid = 0 } = status;
      gateway.kill('SIGSTOP');
      await sleep(3_000);
      gateway.kill('SIGCONT');
      const before = lines;
      await until(() => lines > before + 20);
      expect(status).toMatchObject({ state: 'ready', restarts: 0, pid });
    } finally {
      gateway.kill('SIGKILL');
    }
  });

  it('does not kill a healthy worker whose processor others have', async () => {
    const silenceMs = 500;
    worker = await startWorker({ timings: { silenceMs } });
    const { client } = worker;
    const pid = pidOf(worker);
    execFileSync('renice', ['--priority', '19', '--pid', `${pid}`], { stdio: 'ignore' });
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', `${pid}`]);
    // At the lowest priority beside these, its next message would take a minute.
    const neighbours = Array.from({ length: 40 }, () =>
      spawn('taskset', ['--cpu-list', '0', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' }),
    );
    try {
      let [said, since] = [client.status.load, performance.now()];
      await until(() => {
        if (client.status.load !== said) [said, since] = [client.status.load, performance.now()];
        return performance.now() - since > 4 * silenceMs;
      });
    } finally {
      for (const neighbour of neighbours) neighbour.kill('SIGKILL');
    }
    expect(doneOf(await collect(client.generate(request()))).generatedTokens).toBe(5);
    expect(client.status).toMatchObject({ state: 'ready', restarts: 0, pid });
  });

  it('decides by the rules: backoff doubles, the third crash opens, a failed trial opens again, a calm minute forgets', () => {
    const policy = new CrashPolicy();
    expect(policy.crashed(0, 0)).toEqual({ state: 'restarting', delayMs: 100 });
    expect(policy.crashed(1_000, 500)).toEqual({ state: 'restarting', delayMs: 200 });
    expect(policy.crashed(2_000, 1_500)).toEqual({ state: 'broken', delayMs: CRASH_LIMITS.trialMs });
    expect(policy.crashed(100_000, 99_000).state).toBe('broken');
    expect(policy.crashed(300_000, 130_000)).toEqual({ state: 'restarting', delayMs: 100 });
  });
});

describe('start and stop', () => {
  it('refuses to start, saying so, when the program can’t run', async () => {
    const program = join(folder, 'broken.mjs');
    writeFileSync(program, 'process.stderr.write("no such library\\n"); process.exit(7);');
    await expect(startWorker({ program })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });

  it('kills a worker that breaks the protocol', async () => {
    const program = join(folder, 'liar.mjs');
    writeFileSync(
      program,
      `process.on('message', () => process.send({ v: 3, id: 'hello', kind: 'hello', version: 'two' }));`,
    );
    await expect(startWorker({ program })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });

  it('lets calls under way end when it stops, and takes no new ones', async () => {
    worker = await startWorker({ drainMs: 10_000 });
    const { client } = worker;
    const running = collect(client.generate(request({ maxTokens: 300 })));
    await until(() => (client.status.load?.active ?? 0) >= 0 && client.status.state === 'ready');
    await sleep(20);
    const pid = pidOf(worker);
    const stopped = client.stop();
    await expect(client.countTokens({ workspaceId, model, texts: ['a'] })).rejects.toMatchObject({
      code: 'WORKER_UNAVAILABLE',
    });
    expect(doneOf(await running).generatedTokens).toBe(300);
    await stopped;
    expect(isAlive(pid)).toBe(false);
    expect(client.status).toMatchObject({ state: 'stopped', pid: null });
  });

  it('gives the worker no credential of the gateway', async () => {
    const env = {
      PATH: '/bin',
      HOME: '/root',
      DATABASE_URL: 'postgresql://u:secret@h/d',
      HF_TOKEN: 'x',
      AWS_SECRET: 'y',
    };
    expect(workerEnvironment(env)).toEqual({ PATH: '/bin', HOME: '/root', ORT_DISABLE_TELEMETRY: '1' });
    if (process.platform !== 'linux') return;
    process.env.DATABASE_URL ??= 'postgresql://u:secret@h/d';
    worker = await startWorker();
    const names = readFileSync(`/proc/${pidOf(worker)}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0]);
    expect(names).toContain('PATH');
    for (const name of ['DATABASE_URL', 'HF_TOKEN', 'GRAFT_TEST_DATABASE_URL', 'CHROMA_URL'])
      expect(names).not.toContain(name);
  });

  it('does not outlive a gateway that is killed in the middle of an answer', async () => {
    const script = join(folder, 'gateway.mjs');
    const supervisor = JSON.stringify(join(process.cwd(), 'dist/src/platform/worker/index.js'));
    writeFileSync(
      script,
      `import { ServeWorker } from ${supervisor};
       const quiet = { debug() {}, info() {}, warn() {}, error() {} };
       const client = new ServeWorker({ home: ${JSON.stringify(folder)}, log: quiet, gpu: false });
       await client.start();
       const request = ${JSON.stringify(request({ maxTokens: 2_000 }))};
       for await (const event of client.generate(request)) {
         if (event.type === 'delta') console.log(client.status.pid);
         await new Promise((resolve) => setTimeout(resolve, 20));
       }`,
    );
    const gateway = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString().split('\n')[0]);
    expect(isAlive(pid)).toBe(true);
    gateway.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  it('ignores a Ctrl-C that reaches the whole group: the gateway decides', async () => {
    worker = await startWorker();
    process.kill(pidOf(worker), 'SIGINT');
    process.kill(pidOf(worker), 'SIGTERM');
    expect(doneOf(await collect(worker.client.generate(request()))).generatedTokens).toBe(5);
    expect(worker.client.status.restarts).toBe(0);
  });
});

describe('what a worker tells', () => {
  it('reports device, provider, limits, memory and load', async () => {
    worker = await startWorker({ worker: { sequences: 3 } });
    const { client } = worker;
    await collect(client.generate(request()));
    await until(() => client.status.load?.models.length === 1);
    expect(client.status.hello).toMatchObject({
      version: 3,
      role: 'serve',
      provider: { inference: 'cpu', embedding: 'cpu' },
      device: { gpu: null },
      limits: { sequences: 3, contextTokens: 8_192 },
    });
    expect(client.status.hello?.build.llama).toMatch(/^node-llama-cpp 3\./);
    expect(client.status.load).toMatchObject({ active: 0, queued: 0, models: [model.sha256] });
    expect(client.status.load?.rssBytes).toBeGreaterThan(50_000_000);
  });

  it('measures thread counts once, keeps them if the machine was quiet, and uses them', async () => {
    worker = await startWorker();
    const { client, home } = worker;
    const measured = await client.prepareModel({ workspaceId, model });
    expect(measured.threads.prefill).toBeGreaterThanOrEqual(1);
    expect(measured.measurements.length).toBeGreaterThanOrEqual(1);
    for (const { prefillTokensPerSecond, decodeTokensPerSecond } of measured.measurements) {
      expect(prefillTokensPerSecond).toBeGreaterThan(0);
      expect(decodeTokensPerSecond).toBeGreaterThan(0);
    }
    if (measured.quiet) {
      const stored = JSON.parse(readFileSync(join(home, 'calibration.json'), 'utf8')) as Record<string, unknown>;
      expect(Object.keys(stored)).toEqual([expect.stringContaining(model.sha256)]);
      const began = performance.now();
      expect(await client.prepareModel({ workspaceId, model })).toEqual(measured);
      expect(performance.now() - began).toBeLessThan(500);
    }
    expect(doneOf(await collect(client.generate(request()))).reusedTokens).toBe(0);
  });
});
