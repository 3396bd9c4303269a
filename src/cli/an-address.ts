import { InvalidArgumentError } from 'commander';

/** Where a gateway is, as people type it: `host:4000` is of HTTP, and a slash at its end means nothing. @throws InvalidArgumentError */
export function anAddress(text: string): string {
  const full = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  const { protocol = '', origin, pathname = '', username, password, search, hash } = url ?? {};
  if (!['http:', 'https:'].includes(protocol) || username || password || search || hash)
    throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:4000.');
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}
