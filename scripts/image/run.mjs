// `npm run contract:image`: a root file system made as the Dockerfile's last stage says, without a container engine, started as its user, read-only and without a
// network, answers a question. It takes Linux, root with the right to mount, debootstrap, 600 MB of disk once, and some 3 minutes (one more the first time).
// Where it can't be had, the reason is printed and nothing fails.
import { execFile, spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listOf, officialNode, pairsOf, stagesOf } from './dockerfile.mjs';

const WHOLE_MS = 15 * 60_000;
const START_MS = 3 * 60_000;
const DOCUMENT = 'The blue kayaks are kept in the boathouse behind the mill. Rentals end at nineteen hours.\n';
const QUESTION = 'Where are the blue kayaks kept?';
const ANSWER = /boathouse/i;
/** The number that the official image gives its user. */
const USER_ID = 1000;

const here = fileURLToPath(import.meta.url);
const project = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** The root can't be made on this machine, and why. */
class NotHere extends Error {}

function sh(command, args, options = {}) {
  const { status, signal, stderr, stdout, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    ...options,
  });
  if (status === 0) return stdout;
  const told = `${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`${command} ${args.join(' ')} ended with ${status ?? signal}:\n${told}`);
}

/** Mounts vanish with the name space that this program then runs in. */
function enterOwnMounts() {
  if (process.platform !== 'linux') throw new NotHere('it takes Linux');
  if (process.getuid() !== 0) throw new NotHere('it takes root, to mount and to change the root folder');
  if (spawnSync('unshare', ['--mount', '--net', 'true']).status !== 0)
    throw new NotHere('name spaces are not allowed here');
  const child = spawnSync('unshare', ['--mount', '--propagation', 'private', process.execPath, here, '--inside'], {
    stdio: 'inherit',
    timeout: WHOLE_MS,
  });
  process.exitCode = child.status ?? 1;
}

/** Debian and Node.js as the official image has them, made once for this machine. @throws NotHere */
function baseOf(image) {
  const { node, suite } = officialNode(image);
  const version = sh('npm', ['view', `node-linux-${process.arch}@${node}`, 'version', '--json'])
    .match(/\d+\.\d+\.\d+/g)
    ?.at(-1);
  const place = join(homedir(), '.cache', 'graft-image', `${suite}-${version}-${process.arch}`);
  if (existsSync(place)) return place;
  const making = `${place}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  try {
    if (spawnSync('debootstrap', ['--version']).status !== 0) sh('apt-get', ['install', '--yes', 'debootstrap']);
    sh('debootstrap', ['--variant=minbase', suite, making]);
    const archive = sh('npm', ['pack', '--silent', `node-linux-${process.arch}@${version}`], { cwd: making }).trim();
    sh('tar', ['-xzf', archive, '--strip-components=1', '-C', join(making, 'usr', 'local'), 'package/bin/node'], {
      cwd: making,
    });
    rmSync(join(making, archive));
    sh('chroot', [making, 'groupadd', '--gid', `${USER_ID}`, 'node']);
    sh('chroot', [making, 'useradd', '--uid', `${USER_ID}`, '--gid', 'node', '--create-home', 'node']);
    renameSync(making, place);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    throw new NotHere(`Debian with Node.js can’t be had: ${error.message}`);
  }
  return place;
}

/** Over what lies in `lower`, so that it stays as it is. */
function overlay(lower, at, scratch) {
  const [upper, work] = [mkdtempSync(join(scratch, 'upper-')), mkdtempSync(join(scratch, 'work-'))];
  mkdirSync(at, { recursive: true });
  try {
    sh('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, at]);
  } catch (error) {
    throw new NotHere(`no file system can be laid over another: ${error.message}`);
  }
  // A folder of mkdtemp is its owner's alone; the root of a file system is everybody's.
  sh('chmod', ['755', at]);
}

/**
 * The first stage, on what is built already: the instructions behind the last `COPY`. Seen at this project's own path, over its files.
 * Models that this machine has are taken from it.
 */
function build({ instructions }, scratch) {
  if (lstatSync(join(project, 'node_modules')).isSymbolicLink()) throw new NotHere('node_modules lies elsewhere');
  const cache = process.env.GRAFT_MODELS ?? join(homedir(), '.cache', 'graft');
  overlay(project, project, scratch);
  const last = instructions.findLastIndex(({ keyword }) => keyword === 'COPY');
  for (const { keyword, rest } of instructions.slice(last + 1)) {
    if (keyword !== 'RUN') throw new Error(`${keyword} is not followed here`);
    const [, folder] = /fetch-models\.mjs (\S+)/.exec(rest) ?? [];
    const copyable = folder === undefined || !existsSync(cache) ? [] : readdirSync(cache);
    for (const name of copyable.filter((each) => /minilm-l6|smollm2-135m/.test(each)))
      cpSync(join(cache, name), join(project, folder, name), {
        recursive: true,
        filter: (path) => !path.endsWith('served'),
      });
    sh('sh', ['-c', rest], { cwd: project });
  }
}

/** The last stage. @returns how its program is started */
function assemble({ base, instructions }, root, scratch) {
  overlay(baseOf(base), root, scratch);
  for (const name of ['resolv.conf', 'hosts']) cpSync(`/etc/${name}`, join(root, 'etc', name), { dereference: true });
  sh('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  const image = {
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    folder: '/',
    user: 'root',
    volumes: [],
  };
  const inRoot = (path) => join(root, resolve(image.folder, path));
  const follow = {
    ENV: (rest) => Object.assign(image.env, pairsOf(rest)),
    RUN: (rest) => sh('chroot', [root, 'sh', '-c', rest], { env: { ...image.env, DEBIAN_FRONTEND: 'noninteractive' } }),
    WORKDIR: (rest) => mkdirSync(join(root, (image.folder = resolve(image.folder, rest))), { recursive: true }),
    COPY: (rest) => {
      const [, paths, to] = /^--from=build (.+) (\S+)$/.exec(rest);
      for (const path of paths.split(' ')) {
        const source = path.replace('/graft', project);
        const target = to.endsWith('/') ? join(inRoot(to), path.split('/').at(-1)) : inRoot(to);
        mkdirSync(dirname(target), { recursive: true });
        if (statSync(source).isDirectory()) mkdirSync(target, { recursive: true });
        else writeFileSync(target, '');
        sh('mount', ['--bind', source, target]);
        sh('mount', ['-o', 'remount,bind,ro', target]);
      }
    },
    USER: (rest) => (image.user = rest),
    VOLUME: (rest) => image.volumes.push(rest),
    ENTRYPOINT: (rest) => (image.entrypoint = listOf(rest)),
    HEALTHCHECK: (rest) => (image.health = listOf(rest)),
    STOPSIGNAL: (rest) => (image.signal = rest),
    LABEL: () => undefined,
    EXPOSE: () => undefined,
  };
  for (const { keyword, rest } of instructions) {
    if (!follow[keyword]) throw new Error(`${keyword} is not followed here`);
    follow[keyword](rest);
  }
  return image;
}

/** Nothing can be written but in the volumes and /tmp. */
function seal(root, { volumes }, scratch) {
  for (const device of ['null', 'zero', 'random', 'urandom', 'full']) {
    if (!existsSync(join(root, 'dev', device))) writeFileSync(join(root, 'dev', device), '');
    sh('mount', ['--bind', `/dev/${device}`, join(root, 'dev', device)]);
  }
  mkdirSync(join(root, 'dev', 'shm'), { recursive: true });
  for (const path of ['dev/shm', 'tmp']) sh('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', join(root, path)]);
  for (const volume of volumes) {
    const { uid, gid } = statSync(join(root, volume)); // A new volume has the owner of the folder that it covers.
    const data = mkdtempSync(join(scratch, 'volume-'));
    chownSync(data, uid, gid);
    sh('mount', ['--bind', data, join(root, volume)]);
  }
  sh('mount', ['-o', 'remount,bind,ro', root]);
}

/** Starts it without a network, ingests a document and asks of it, all by what is in the image. */
async function ask(root, image) {
  const inside = ({ env = {} }, args) => [
    ...['--reuid', `${USER_ID}`, '--regid', `${USER_ID}`, '--clear-groups', '--no-new-privs', '--bounding-set=-all'],
    ...['env', '-i', ...Object.entries({ ...image.env, ...env }).map((pair) => pair.join('=')), ...args],
  ];
  if (image.user !== 'node') throw new Error(`it runs as ${image.user}`);
  const within = ['chroot', root, 'sh', '-c', `cd ${image.folder} && exec setpriv "$@"`, 'graft'];
  const program = spawn(
    'unshare',
    ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'graft', ...within, ...inside({}, image.entrypoint)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [program.stdout, program.stderr])
    stream.setEncoding('utf8').on('data', (part) => (output += part));
  const ended = new Promise((done) => program.once('exit', (code, signal) => done(code ?? signal)));
  // Not `sh`: what the program logs meanwhile has to be read, or it waits for room in the pipe.
  const run = async (env, args) => {
    const command = ['--target', `${program.pid}`, '--net', ...within, ...inside({ env }, args)];
    return (await promisify(execFile)('nsenter', command, { timeout: 120_000 })).stdout;
  };
  try {
    const started = Date.now();
    const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
    const key = await new Promise((done, fail) => {
      void ended.then((code) => fail(new Error(`it ended with ${code}:\n${output.slice(-4_000)}`)));
      setTimeout(() => fail(new Error(`it was not ready in time:\n${output.slice(-4_000)}`)), START_MS).unref();
      program.stdout.on('data', () => {
        const told = /^Key +(graft_\S+)/m.exec(output)?.[1];
        if (told) done(told);
      });
    });
    console.log(`ready after ${seconds()}`);
    await run({}, image.health);
    // A folder that is everybody's elsewhere.
    await run({}, ['sh', '-c', '! touch /var/tmp/written']);
    const graft = (...args) => run({ GRAFT_API_KEY: key, HOME: '/tmp' }, ['node', 'dist/src/cli/graft.js', ...args]);
    writeFileSync(join(root, 'tmp', 'kayaks.md'), DOCUMENT);
    await graft('ingest', 'boats', '--create', '/tmp/kayaks.md');
    const answer = await graft('ask', QUESTION, '--collection', 'boats');
    if (!ANSWER.test(answer)) throw new Error(`it answered: ${answer}`);
    console.log(`answered after ${seconds()}: ${QUESTION}\n${answer.trim()}`);
  } finally {
    program.kill(image.signal);
    const code = await Promise.race([
      ended,
      new Promise((done) => setTimeout(() => done('nothing in time'), 60_000).unref()),
    ]);
    if (code !== 0) program.kill('SIGKILL');
    process.exitCode = code === 0 ? process.exitCode : 1;
    console.log(`ended with ${code}`);
  }
}

async function inside() {
  const scratch = mkdtempSync(join(tmpdir(), 'graft-image-'));
  try {
    const [first, last] = stagesOf(readFileSync(join(project, 'Dockerfile'), 'utf8'));
    await import('../build.mjs');
    const timed = (what, work) => {
      const from = Date.now();
      const result = work();
      console.log(`${what} (${Math.round((Date.now() - from) / 1000)} s)`);
      return result;
    };
    const root = join(scratch, 'root');
    timed('built', () => build(first, scratch));
    const image = timed('assembled', () => assemble(last, root, scratch));
    seal(root, image, scratch);
    await ask(root, image);
    if (!process.exitCode) console.log('1 passed, 0 failed');
  } finally {
    // Its own mounts cover it; without them it is an ordinary folder. Lazy: the last of its processes may not be gone yet.
    spawnSync('umount', ['--recursive', '--lazy', join(scratch, 'root')]);
    spawnSync('umount', ['--lazy', project]);
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  if (process.argv[2] === '--inside') await inside();
  else enterOwnMounts();
} catch (error) {
  if (error instanceof NotHere) console.log(`\nskipped: ${error.message}`);
  else {
    console.error(`\nfailed: ${error.message}`);
    process.exitCode = 1;
  }
}
