import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { z } from 'zod';
import { isSha256, type Sha256 } from '../../kernel/hashing.js';
import { HttpFiles } from './http-files.js';
import { SourceFailed } from './source.js';

export interface IndexFile {
  name: string;
  url: string;
  sha256: Sha256 | null;
  /** Bytes, if the index gives them. */
  size: number | null;
}

/** What pip is told about package indexes, in its configuration files and in the environment. */
export interface IndexSettings {
  /** Addresses of indexes, in the order in which they are asked; a user and a password may stand in them. */
  urls: readonly string[];
  /** File of certificates that are believed in place of the usual ones. */
  certificates: string | null;
}

const PYPI = 'https://pypi.org/simple';
/** The formats of PEP 691 (JSON) and PEP 503 (HTML). */
const ACCEPT = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';
const MAX_PAGE_BYTES = 32 * 1024 ** 2;

const jsonPage = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()),
      size: z.number().optional(),
    }),
  ),
});

/** A Python package index, by its simple API. */
export class PackageIndex {
  readonly files: HttpFiles;
  /** Its address without user and password, for messages. */
  readonly url: string;

  constructor(address: string, certificates?: string) {
    const { url, authorization } = withoutCredentials(address);
    this.url = url.replace(/\/*$/, '');
    const denied = 'put a user and a password into the address of the index (PIP_INDEX_URL)';
    this.files = new HttpFiles({ url, authorization, denied, certificates });
  }

  /** The files of a package. @throws SourceFailed when the index doesn't answer with a page of them */
  async filesOf(packageName: string, signal: AbortSignal | undefined): Promise<IndexFile[]> {
    const name = packageName.toLowerCase().replace(/[-_.]+/g, '-');
    const { response, url } = await this.files.open(`${this.url}/${name}/`, { accept: ACCEPT }, signal);
    const { statusCode, headers, body } = response;
    if (statusCode !== 200) {
      await body.dump();
      throw statusCode === 404 ? new SourceFailed('has no such package') : this.files.refusal(statusCode);
    }
    const page = await textOf(body);
    return String(headers['content-type']).includes('json') ? filesOfJson(page, url) : filesOfHtml(page, url);
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MAX_PAGE_BYTES) throw new SourceFailed('its page of the package is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function filesOfJson(page: string, base: URL): IndexFile[] {
  try {
    const { files } = jsonPage.parse(JSON.parse(page));
    return files.map(({ filename, url, hashes: { sha256 }, size }) => ({
      name: filename,
      url: new URL(url, base).href,
      sha256: digestOf(sha256),
      size: size ?? null,
    }));
  } catch {
    throw new SourceFailed('its page of the package can’t be read');
  }
}

const digestOf = (text: string | undefined): Sha256 | null => (text !== undefined && isSha256(text) ? text : null);

/** Links to files; the digest stands in the fragment of the address. */
function filesOfHtml(page: string, base: URL): IndexFile[] {
  const files: IndexFile[] = [];
  const visit = (node: DefaultTreeAdapterTypes.ParentNode): void => {
    for (const child of node.childNodes) {
      if (!('childNodes' in child)) continue;
      visit(child);
      const href = child.nodeName === 'a' ? child.attrs.find(({ name }) => name === 'href')?.value : undefined;
      if (href === undefined || !URL.canParse(href, base)) continue;
      const url = new URL(href, base);
      const digest = /^#sha256=(\w+)$/.exec(url.hash)?.[1];
      url.hash = '';
      const name = decodeURIComponent(url.pathname.split('/').at(-1)!);
      files.push({ name, url: url.href, sha256: digestOf(digest), size: null });
    }
  };
  visit(parse(page));
  return files;
}

/** @throws SourceFailed where it is no address that files can be fetched from */
function withoutCredentials(address: string): { url: string; authorization?: string } {
  if (!/^https?:/i.test(address) || !URL.canParse(address))
    throw new SourceFailed('the address of the package index is not one of http or https (PIP_INDEX_URL)');
  const url = new URL(address);
  const { username, password } = url;
  url.username = url.password = '';
  if (username === '') return { url: url.href };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url: url.href, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/**
 * The package indexes that pip would ask on this machine: the environment comes before its configuration files, and a user's file
 * before the machine's. Its own index is asked where nothing names another.
 */
export function indexSettings(env: NodeJS.ProcessEnv = process.env): IndexSettings {
  const files = configurationFiles(env).filter((path) => existsSync(path));
  const settings = Object.assign({}, ...files.map((path) => readSettings(readFileSync(path, 'utf8')))) as Settings;
  const setting = (name: string): string | undefined =>
    env[`PIP_${name.toUpperCase().replaceAll('-', '_')}`] || settings[name];
  const extra =
    setting('extra-index-url')
      ?.split(/\s+/)
      .filter((url) => url !== '') ?? [];
  return { urls: [setting('index-url') ?? PYPI, ...extra], certificates: setting('cert') ?? null };
}

type Settings = Record<string, string>;

/** Those that are read, the weakest first, as pip's documentation lists them. */
function configurationFiles(env: NodeJS.ProcessEnv): string[] {
  const configFile = env['PIP_CONFIG_FILE'];
  if (configFile === '/dev/null') return [];
  const home = homedir();
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const user =
    process.platform === 'win32'
      ? [join(home, 'pip', 'pip.ini'), join(env['APPDATA'] ?? home, 'pip', 'pip.ini')]
      : [
          join(home, '.pip', 'pip.conf'),
          join(config, 'pip', 'pip.conf'),
          ...(process.platform === 'darwin' ? [join(home, 'Library', 'Application Support', 'pip', 'pip.conf')] : []),
        ];
  const machine =
    process.platform === 'win32' ? ['C:\\ProgramData\\pip\\pip.ini'] : ['/etc/xdg/pip/pip.conf', '/etc/pip.conf'];
  return [...machine, ...user, ...(configFile ? [configFile] : [])];
}

/** The sections `global`, and above it `download`; values may go on in lines that are indented. */
function readSettings(text: string): Settings {
  const sections: Record<string, Settings> = {};
  let section: Settings = {};
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[(.+)\]\s*$/.exec(line)?.[1];
    const [, name, value] = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (header !== undefined) section = sections[header] ??= {};
    else if (name !== undefined) section[(key = name.toLowerCase().replaceAll('_', '-'))] = value!.trim();
    else if (key !== undefined && /^\s/.test(line)) section[key] = `${section[key] ?? ''} ${line.trim()}`.trim();
  }
  return { ...sections['global'], ...sections['download'] };
}
