import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GraftClient } from '../../src/client/graft-client.js';
import { MeDocument } from '../../src/client/operations/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { spawnGraft, temporaryHome } from '../support/graft-program.js';

const graft = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');

describe('the first key', () => {
  it('is made and printed once by a first start that may make it', async () => {
    const own = await temporaryHome();
    const image = { GRAFT_HOST: '0.0.0.0', GRAFT_FIRST_KEY: 'on', LOG_LEVEL: 'warn' };
    const printed = async (): Promise<string | undefined> => {
      const program = await spawnGraft(own.path, image).started;
      try {
        const key = /^Key +(graft_\S+)/m.exec(program.output())?.[1];
        const client = new GraftClient(program.url.replace('0.0.0.0', '127.0.0.1'), key);
        if (key !== undefined) expect((await client.request(MeDocument)).me).toMatchObject({ role: 'ADMIN' });
        else await expect(client.request(MeDocument)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
        return key;
      } finally {
        program.child.kill('SIGTERM');
        await program.ended;
      }
    };
    try {
      expect(await printed()).toMatch(/^graft_[0-9a-z]{10}_/);
      expect(await printed()).toBeUndefined();
    } finally {
      await own.remove();
    }
  });

  let home: Awaited<ReturnType<typeof temporaryHome>>;
  beforeAll(async () => void (home = await temporaryHome()));
  afterAll(() => home.remove());

  const cli = async (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const { stdout } = await promisify(execFile)(process.execPath, [graft, ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, GRAFT_HOME: home.path, ...env },
    });
    return stdout.trim();
  };

  it('is made on the home, opens a gateway that refused to listen elsewhere before, and makes the next', async () => {
    const elsewhere = { GRAFT_HOST: '0.0.0.0', LOG_LEVEL: 'warn' };
    const refused = spawnGraft(home.path, elsewhere);
    expect(await refused.program.ended).toBe(1);
    expect(refused.program.output()).toMatch(
      /SETUP_FAILED: .*no key with role ADMIN[^]*graft keys create --role ADMIN/,
    );

    const key = await cli(['keys', 'create', '--role', 'ADMIN', '--at-home']);
    expect(key).toMatch(/^graft_[0-9a-z]{10}_[A-Za-z0-9_-]{43}$/);

    const program = await spawnGraft(home.path, elsewhere).started;
    try {
      const url = program.url.replace('0.0.0.0', '127.0.0.1');
      await expect(new GraftClient(url).request(MeDocument)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      const { me } = await new GraftClient(url, key).request(MeDocument);
      expect(me).toMatchObject({ role: 'ADMIN', workspace: { name: 'default' }, key: { name: 'first key' } });

      const env = { GRAFT_API_KEY: key };
      const next = await cli(['--url', url, 'keys', 'create', 'desk', '--role', 'ASK'], env);
      expect((await new GraftClient(url, next).request(MeDocument)).me.role).toBe('ASK');
      const lost = await cli(['--url', url, 'keys', 'create', 'spare', '--role', 'ADMIN', '--at-home']);
      expect((await new GraftClient(url, lost).request(MeDocument)).me.role).toBe('ADMIN');

      const prefix = next.slice(0, 16);
      expect(await cli(['--url', url, 'keys', 'revoke', prefix], env)).toBe(`revoked ${prefix}`);
      await expect(new GraftClient(url, next).request(MeDocument)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      const list = await cli(['--url', url, 'keys', 'list'], env);
      expect(list.split('\n')).toHaveLength(3);
      expect(list).toMatch(new RegExp(`${prefix}  ASK +desk  revoked`));
      expect(program.output() + list).not.toContain(key.slice(17));

      await cli(['--url', url, 'workspaces', 'create', 'warehouse'], env);
      const theirs = await cli(['--url', url, 'keys', 'create', '--role', 'ADMIN', '-w', 'warehouse'], env);
      const past = await cli(['keys', 'create', '--role', 'ASK', '-w', 'warehouse', '--at-home']);
      expect((await new GraftClient(url, past).request(MeDocument)).me.workspace.name).toBe('warehouse');
      await expect(cli(['keys', 'create', '--role', 'ASK', '-w', 'wharehouse', '--at-home'])).rejects.toMatchObject({
        code: 1,
        stderr: 'NOT_FOUND: There is no workspace "wharehouse".\n',
      });
      const of = past.slice(0, 16);
      await expect(cli(['--url', url, 'keys', 'revoke', of], env)).rejects.toMatchObject({
        stderr: expect.stringContaining(`There is no key ${of} in your workspace.`) as string,
      });
      const rotated = await cli(['--url', url, 'keys', 'rotate', of, '--overlap', '0', '-w', 'warehouse'], env);
      expect((await new GraftClient(url, rotated).request(MeDocument)).me.workspace.name).toBe('warehouse');
      await cli(['--url', url, 'keys', 'revoke', rotated.slice(0, 16), '-w', 'warehouse'], env);
      await expect(new GraftClient(url, rotated).request(MeDocument)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
      const other = new GraftClient(url, theirs);
      expect((await other.request(MeDocument)).me.workspace.name).toBe('warehouse');
      const { ask } = await other.request<{ ask: { text: string } }>(
        '{ ask(input: { question: "What is the capital of France?", strategy: BASE, generation: { maxTokens: 8 } }) { text } }',
      );
      expect(ask.text).not.toBe('');
      await expect(
        other.request('mutation { createWorkspace(input: { name: "third" }) { workspace { id } } }'),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    } finally {
      program.child.kill('SIGTERM');
      await program.ended;
    }
  }, 300_000);
});
