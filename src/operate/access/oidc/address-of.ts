/**
 * An address that a provider's discovery document names, for the gateway and the console alike: an https address, or http where the provider itself is at
 * one, which only loopback may be.
 * @returns null for anything else, `javascript:` and `data:` among it
 */
export function addressOf(value: unknown, { issuer }: { issuer: string }): URL | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const url = new URL(value);
  const plain = url.protocol === 'http:' && new URL(issuer).protocol === 'http:';
  return url.protocol === 'https:' || plain ? url : null;
}
