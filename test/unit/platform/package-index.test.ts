import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { indexSettings } from '../../../src/platform/models-on-disk/package-index.js';

/** `HOME` is where pip looks for a user's file; the machine's own files, which a test can't write, don't count here. */
describe('which package indexes pip is configured for', () => {
  let home: string;
  beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'graft-pip-'))));
  afterEach(() => rm(home, { recursive: true }));

  const write = async (path: string, text: string): Promise<string> => {
    const full = join(home, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text);
    return full;
  };
  const urls = (env: NodeJS.ProcessEnv) => indexSettings({ XDG_CONFIG_HOME: home, ...env }).urls;

  test('pypi.org, where nothing says otherwise', () =>
    expect(indexSettings({ PIP_CONFIG_FILE: '/dev/null' })).toEqual({
      urls: ['https://pypi.org/simple'],
      certificates: null,
    }));

  test('the user’s file, whose download section comes before its global one', async () => {
    await write('pip/pip.conf', '# ours\n[global]\nindex_url : https://a.example/simple\n');
    expect(urls({})).toEqual(['https://a.example/simple']);
    await write('pip/pip.conf', '[global]\nindex-url=https://a.example\n\n[download]\nindex-url = https://b.example\n');
    expect(urls({})).toEqual(['https://b.example']);
  });

  test('what PIP_CONFIG_FILE names comes before the user’s, the environment before all', async () => {
    await write('pip/pip.conf', '[global]\nindex-url = https://user.example\ncert = /ca.pem\n');
    const named = await write(
      'other.conf',
      '[install]\nindex-url = https://x.example\n[global]\nindex-url = https://named.example\n',
    );
    expect(urls({ PIP_CONFIG_FILE: named })).toEqual(['https://named.example']);
    expect(urls({ PIP_CONFIG_FILE: named, PIP_INDEX_URL: 'https://env.example' })).toEqual(['https://env.example']);
    expect(indexSettings({ XDG_CONFIG_HOME: home }).certificates).toBe('/ca.pem');
    expect(indexSettings({ XDG_CONFIG_HOME: home, PIP_CERT: '/other.pem' }).certificates).toBe('/other.pem');
  });

  test('further indexes come after the first, on one line or several', async () => {
    await write('pip/pip.conf', '[global]\nextra-index-url =\n    https://b.example\n    https://c.example\n');
    expect(urls({ PIP_INDEX_URL: 'https://a.example' })).toEqual([
      'https://a.example',
      'https://b.example',
      'https://c.example',
    ]);
    expect(urls({ PIP_EXTRA_INDEX_URL: 'https://d.example' }).slice(1)).toEqual(['https://d.example']);
  });
});
