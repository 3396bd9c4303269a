// `node scripts/vllm/run.mjs COMMAND …` runs a command beside a real vLLM that serves the default model’s weights on this processor, and stops it. The command
// finds it at GRAFT_TEST_VLLM_URL. Where there can be none, the command isn’t run: the reason is printed and nothing fails. It takes 2 GB of disk
// once, 6 GB of memory, and 3 to 6 minutes before the command begins.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { cpus, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { install, NotHere, placeOf, weightsOf } from './install.mjs';

/** All of it, the command included. */
const WHOLE_MS = 12 * 60_000;
const START_MS = 5 * 60_000;
/** Where less is left when it answers, the command isn’t begun. */
const LEAST_MS = 4 * 60_000;
/** What vLLM, the worker and the command hold together. */
const MEMORY = 6 * 2 ** 30;

const root = fileURLToPath(new URL('../../', import.meta.url));
const command = process.argv.slice(2);
if (command.length === 0) {
  console.error('Usage: node scripts/vllm/run.mjs COMMAND …');
  process.exit(2);
}

const began = Date.now();
const deadline = AbortSignal.timeout(WHOLE_MS);
const stopping = new AbortController();
const signal = AbortSignal.any([deadline, stopping.signal]);
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stopping.abort(new Error(`ended by ${name}`)));

let engine = null;
try {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new NotHere('it is built for Linux on x64');
  if (!/\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) throw new NotHere('the processor has no AVX2');
  const free = process.availableMemory();
  if (free < MEMORY) throw new NotHere(`${Math.round(free / 2 ** 20)} MB of memory are free, of ${MEMORY / 2 ** 20}`);
  const place = await placeOf();
  const python = await timed('installed', () => install(place, signal));
  const weights = await timed('has the weights', () => weightsOf(place, python, signal));
  engine = await timed('answers', () => start(python, weights, join(place, 'vllm.log')));
  if (Date.now() - began > WHOLE_MS - LEAST_MS)
    throw new NotHere('it was there too late for the command to be done in time');
  process.exitCode = await run(engine.url);
} catch (error) {
  if (stopping.signal.aborted) fail(stopping.signal.reason.message);
  else if (deadline.aborted && engine !== null)
    fail(`the command and all before it took longer than ${WHOLE_MS / 60_000} minutes`);
  else if (error instanceof NotHere || deadline.aborted)
    console.log(
      `\nskipped: no real vLLM here (${deadline.aborted ? `it was not there within ${WHOLE_MS / 60_000} minutes` : error.message})`,
    );
  else fail(error.message);
} finally {
  await engine?.stop();
}

function fail(reason) {
  console.error(`\nfailed: ${reason}`);
  process.exitCode = 1;
}

async function timed(what, work) {
  const from = Date.now();
  const result = await work();
  console.log(`vLLM ${what} (${((Date.now() - from) / 1_000).toFixed(0)} s)`);
  return result;
}

/** As docs/scale.md starts it, in 32-bit floats and with what a small machine has. */
async function start(python, weights, log) {
  const { freePort } = await import('../../dist/src/platform/processes/free-port.js');
  const port = await freePort();
  const options = {
    ...{ model: weights, host: '127.0.0.1', port, 'served-model-name': 'base', dtype: 'float32' },
    ...{ 'max-lora-rank': 16, 'max-loras': 8, 'max-cpu-loras': 8, 'max-model-len': 1_024, 'block-size': 32 },
    ...{ 'max-num-seqs': 8, 'max-num-batched-tokens': 1_024, 'logprobs-mode': 'processed_logprobs' },
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const file = openSync(log, 'w');
  const child = spawn(python, ['-m', 'vllm.entrypoints.openai.api_server', '--enable-lora', ...args], {
    // A group of its own: vLLM computes in a child of its own, and both are to end.
    detached: true,
    stdio: ['ignore', file, file],
    env: {
      ...process.env,
      ...{ VLLM_TARGET_DEVICE: 'cpu', VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True', VLLM_CPU_KVCACHE_SPACE: '1' },
      ...{ VLLM_CPU_OMP_THREADS_BIND: 'nobind', OMP_NUM_THREADS: String(Math.min(2, cpus().length)) },
      ...{ OMP_WAIT_POLICY: 'passive', HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' },
      ...{ VLLM_NO_USAGE_STATS: '1', DO_NOT_TRACK: '1', PYTHONUNBUFFERED: '1' },
    },
  });
  closeSync(file);
  let ended = null;
  const over = new Promise((resolve) => {
    child.once('exit', (code, by) => resolve((ended = `it ended with ${code ?? by}; ${log} has the rest`)));
    child.once('error', (error) => resolve((ended = error.message)));
  });
  const stop = async () => {
    for (const name of ['SIGTERM', 'SIGKILL']) {
      try {
        process.kill(-child.pid, name);
      } catch {
        return; // The whole group is gone.
      }
      await Promise.race([over, sleep(10_000, undefined, { ref: false })]);
    }
  };
  try {
    setPriority(child.pid, 5);
    const url = `http://127.0.0.1:${port}`;
    const latest = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    for (;;) {
      if (ended !== null) throw new NotHere(ended);
      const healthy = await fetch(`${url}/health`, { signal: latest }).then(
        ({ ok }) => ok,
        () => false,
      );
      if (healthy) return { url, stop };
      if (latest.aborted) throw new NotHere(`it did not answer within ${START_MS / 1_000} s; ${log} has the rest`);
      await sleep(1_000);
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @returns its exit status */
function run(url) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: root,
      stdio: 'inherit',
      signal,
      env: { ...process.env, GRAFT_TEST_VLLM_URL: url },
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
