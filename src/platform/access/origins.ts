import { GraftError } from '../../kernel/errors.js';

/** The headers that tell where a request comes from; node's IncomingMessage headers fit. */
interface OriginHeaders {
  host?: string | undefined;
  origin?: string | undefined;
  'sec-fetch-site'?: string | string[] | undefined;
  'sec-fetch-mode'?: string | string[] | undefined;
  'sec-fetch-dest'?: string | string[] | undefined;
}

export interface OriginPolicy {
  /** Host names besides the loopback ones that may stand in `Host`, without port, in lower case. */
  readonly allowedHosts: readonly string[];
  /** Origins (`https://app.example.com`) whose pages may call besides the gateway's own. */
  readonly allowedOrigins: readonly string[];
  /** Whether `Host` may name anything: where every caller needs a key. */
  readonly anyHost?: boolean;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** The name in a `Host` header without its port; an IPv6 address keeps its brackets. */
const hostName = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

const refuse = (message: string): GraftError => new GraftError('ORIGIN_NOT_ALLOWED', message);

/**
 * Keeps web pages of other origins away from a gateway that listens on loopback and asks for no password.
 *
 * - `Host` must be a loopback name or a configured one: a page whose own name was re-bound to 127.0.0.1 still sends its own name.
 * - `Origin`, which browsers send with every cross-origin request that can carry JSON and with every WebSocket, must be the
 *   gateway's own or a configured one. Programs send none, and pass.
 * - Requests that browsers send without `Origin` (images, scripts, plain GET) carry `Sec-Fetch-Site` instead. Only a page that holds
 *   nothing by itself may be gone to from elsewhere, in a window of its own: by a link, or back from where people sign in.
 *
 * @param isPage whether it is such a page that is asked for
 * @throws ORIGIN_NOT_ALLOWED
 */
export function checkOrigin(headers: OriginHeaders, policy: OriginPolicy, isPage = false): void {
  const host = headers.host;
  if (host === undefined) throw refuse('The request has no Host header.');
  const name = hostName(host);
  if (!policy.anyHost && !LOOPBACK_NAMES.includes(name) && !policy.allowedHosts.includes(name))
    throw refuse(`Host ${JSON.stringify(name)} is not a name of this gateway.`);
  const origin = headers.origin;
  if (origin !== undefined) {
    if (policy.allowedOrigins.includes(origin) || isOwnOrigin(origin, host)) return;
    throw refuse(`Pages of ${JSON.stringify(origin)} may not call this gateway.`);
  }
  if (isPage && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document') return;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw refuse('Pages of another origin may not call this gateway.');
}

/** The scheme may differ: a proxy that ends TLS passes the Host on and talks plain HTTP to us. */
function isOwnOrigin(origin: string, host: string): boolean {
  if (!/^https?:\/\//.test(origin)) return false;
  return origin.slice(origin.indexOf('//') + 2).toLowerCase() === host.toLowerCase();
}
