import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { configTable, loadConfig } from '../../src/platform/config.js';
import { sharedStoreOf } from '../../src/platform/artifacts/index.js';

describe('config', () => {
  it('fills in every default and is frozen', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ GRAFT_PORT: 4000, GRAFT_HOST: '127.0.0.1', GRAFT_HOME: resolve('.graft') });
    expect(config.GRAFT_MODELS).toBe(join(homedir(), '.cache', 'graft'));
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('counts an empty value as unset and expands the home folder', () => {
    const config = loadConfig({ GRAFT_PORT: '', GRAFT_HOME: '~/data' });
    expect(config.GRAFT_PORT).toBe(4000);
    expect(config.GRAFT_HOME).toBe(join(homedir(), 'data'));
  });

  it('reads which models stand for OpenAI’s names, and takes nothing that is no pair', () => {
    const read = (GRAFT_OPENAI_MODELS: string) => loadConfig({ GRAFT_OPENAI_MODELS }).GRAFT_OPENAI_MODELS;
    expect(read('gpt-4o=small, gpt-4o-mini = tiny')).toEqual({ 'gpt-4o': 'small', 'gpt-4o-mini': 'tiny' });
    for (const wrong of ['gpt-4o', 'gpt-4o=', '=small', 'a=b=c'])
      expect(() => read(wrong)).toThrow(/GRAFT_OPENAI_MODELS/);
  });

  it('names every bad variable in one message, and never a secret’s value', () => {
    const bad = {
      GRAFT_PORT: '70000',
      GRAFT_REQUIRE_KEY: 'perhaps',
      DATABASE_URL: 'mysql://u:secret@h/db',
      LOG_LEVEL: 'loud',
    };
    const failure = (() => {
      try {
        loadConfig(bad);
      } catch (error) {
        return error as Error;
      }
      throw new Error('accepted');
    })();
    expect(failure.message).toMatch(/GRAFT_PORT: "70000"/);
    expect(failure.message).toMatch(/GRAFT_REQUIRE_KEY: "perhaps"/);
    expect(failure.message).toMatch(/DATABASE_URL: its value must be a URL that starts with postgres/);
    expect(failure.message).toMatch(/LOG_LEVEL: "loud"/);
    expect(failure.message).not.toContain('secret');
  });

  it('prints a row with a sentence for every variable', () => {
    const rows = configTable().split('\n').slice(2);
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) expect(row).toMatch(/^\| `[A-Z0-9_]+` \| .*\| .{20,}\. \|$/);
  });

  it('takes a shared store whole or not at all, and says which variable is missing without showing a key', () => {
    const env = {
      GRAFT_S3_ENDPOINT: 'http://127.0.0.1:9000',
      GRAFT_S3_BUCKET: 'graft',
      GRAFT_S3_ACCESS_KEY_ID: 'the key',
      GRAFT_S3_SECRET_ACCESS_KEY: 'the secret',
    };
    expect(sharedStoreOf(loadConfig({}))).toBeNull();
    expect(sharedStoreOf(loadConfig(env))).toMatchObject({ bucket: 'graft', region: 'us-east-1' });
    const partial = () => sharedStoreOf(loadConfig({ ...env, GRAFT_S3_BUCKET: '' }));
    expect(partial).toThrow(
      expect.objectContaining({ code: 'SETUP_FAILED', message: expect.stringContaining('needs GRAFT_S3_BUCKET') }),
    );
    expect(partial).toThrow(expect.not.objectContaining({ message: expect.stringMatching(/the (key|secret)/) }));
  });
});
