import { lookup } from 'node:dns/promises';

const HEADLESS = 'dns+';

/**
 * The addresses of a fleet. `http://a:8000` is one engine; `dns+http://vllm:8000` one for each address that the name has now, which a
 * headless service gives of each of its replicas. A name that can't be looked up has none.
 */
export async function resolveEngines(
  configured: readonly string[],
  look: (host: string) => Promise<string[]> = addressesOf,
): Promise<string[]> {
  const resolved = await Promise.all(
    configured.map(async (engine) => {
      if (!engine.startsWith(HEADLESS)) return [plain(engine)];
      const url = new URL(engine.slice(HEADLESS.length));
      const addresses = await look(url.hostname).catch(() => []);
      return addresses.map((address) => {
        const addressUrl = new URL(url);
        addressUrl.hostname = address.includes(':') ? `[${address}]` : address;
        return plain(addressUrl.href);
      });
    }),
  );
  return [...new Set(resolved.flat())].sort();
}

const plain = (url: string): string => url.replace(/\/+$/, '');

const addressesOf = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);
