import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { badInput } from '../../../kernel/errors.js';

/**
 * Addresses that a webhook must not reach: what answers there trusts its neighbours. After IANA's registries of special-purpose
 * addresses: this host, private, shared, loopback, link-local (with the metadata services of clouds), protocol and test networks,
 * multicast and reserved ones.
 */
const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
  ] as const),
  ...([
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const),
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');

/** Global unicast, but for 6to4, Teredo, documentation and other networks that lead elsewhere. */
const PUBLIC_6 = new BlockList();
PUBLIC_6.addSubnet('2000::', 3, 'ipv6');
const NOT_PUBLIC_6 = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  NOT_PUBLIC_6.addSubnet(network, prefix, 'ipv6');

/** Whether it may be called by default. IPv6 forms of IPv4 addresses (`::ffff:10.0.0.1`, NAT64) are not public unicast, and so refused. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC.check(address, 'ipv4');
  return family === 6 && PUBLIC_6.check(address, 'ipv6') && !NOT_PUBLIC_6.check(address, 'ipv6');
}

const LONGEST_URL = 2_000;

/** The host of a URL as an address or a name, without brackets. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/**
 * A webhook's URL, as far as it can be judged before it is called.
 * @param allowed names or addresses that may be called though they aren't public, also by plain HTTP
 * @throws BAD_USER_INPUT
 */
export function checkUrl(text: string, allowed: readonly string[]): URL {
  const refuse = (message: string, hint?: string) => badInput('input.url', message, hint);
  if (text.length > LONGEST_URL) throw refuse(`url is longer than ${LONGEST_URL} characters.`);
  if (!URL.canParse(text)) throw refuse('url is not a URL.');
  const url = new URL(text);
  const host = hostOf(url);
  const isAllowed = allowed.includes(host);
  if (url.username !== '' || url.password !== '')
    throw refuse('url holds a user name or a password.', 'Deliveries are signed: check the signature instead.');
  if (url.protocol !== 'https:' && !(isAllowed && url.protocol === 'http:'))
    throw refuse('url must begin with https://.', 'Plain HTTP goes to hosts of GRAFT_WEBHOOK_ALLOWED_HOSTS only.');
  const local = isIP(host) === 0 ? /(^|\.)(localhost|local|internal)$/i.test(host) : !isPublic(host);
  if (local && !isAllowed)
    throw refuse(
      'url names a loopback, link-local or private address.',
      'An operator can allow its host in GRAFT_WEBHOOK_ALLOWED_HOSTS.',
    );
  return url;
}

/** Why a call was not made: nothing that the host's owner could change by being asked again right away. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/**
 * Resolves names for a connection and refuses those of which any address isn't public. The connection goes to what was looked at here,
 * so that a name that changes between check and call (DNS rebinding) gains nothing.
 */
export const guardedLookup = (
  allowed: readonly string[],
  lookup: (host: string, found: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void = (
    host,
    callback,
  ) => resolve(host, { all: true }, callback),
): LookupFunction =>
  ((host: string, { all }: { all?: boolean }, callback: (error: Error | null, ...found: unknown[]) => void) => {
    lookup(host, (error, addresses) => {
      if (error) return callback(error);
      const [first] = addresses;
      if (first === undefined) return callback(new AddressRefused('The name has no address.'));
      if (!allowed.includes(host) && !addresses.every(({ address }) => isPublic(address)))
        return callback(new AddressRefused('The name leads to a loopback, link-local or private address.'));
      return all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  }) as LookupFunction;
