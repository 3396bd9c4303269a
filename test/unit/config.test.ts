import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { configTable, loadConfig } from '../../src/config.js';

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

  it('names every bad variable in one message, and never a secret’s value', () => {
    const bad = {
      GRAFT_PORT: '70000',
      GRAFT_HOST: '0.0.0.0',
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
    expect(failure.message).toMatch(/GRAFT_HOST: "0.0.0.0" must be a loopback address/);
    expect(failure.message).toMatch(/DATABASE_URL: its value must be a URL that starts with postgres/);
    expect(failure.message).toMatch(/LOG_LEVEL: "loud"/);
    expect(failure.message).not.toContain('secret');
  });

  it('prints a row with a sentence for every variable', () => {
    const rows = configTable().split('\n').slice(2);
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) expect(row).toMatch(/^\| `[A-Z_]+` \| .*\| .{20,}\. \|$/);
  });
});
