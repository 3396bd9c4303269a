/** What the provider’s tokens say, and what of them is kept. Nothing here is asked of anybody. */
import { type Provider, type TokenAnswer } from './provider.js';

/** What a tab keeps of a sign-in at the provider. */
export interface Kept {
  provider: Provider;
  /** Of the sign-in; a tab that is duplicated has it, too. */
  family: string;
  /** Counts renewals, from 0. */
  generation: number;
  access: string;
  /** Null where the provider gave none, or takes it no more. */
  refresh: string | null;
  /** The ID token, for signing out. */
  id: string | null;
  /** When it is to be renewed and when the access token ends, in ms since 1970 by the clock of this machine. */
  renewAt: number;
  endsAt: number;
}

/** Tokens of somebody else in answer to a refresh token. */
export class OtherPerson extends Error {}

/** At the latest so long before its end a token is renewed, in ms; of shorter ones the last quarter. */
const LEAD_MS = 60_000;
/** A token is taken to live so long at least, in ms: a provider that says less isn't asked without a pause. */
const SHORTEST_MS = 4_000;

type Claims = Record<string, unknown>;

/** Nothing is proven by it: tokens come from the provider itself over TLS, and the gateway verifies the one that it gets. @throws Error */
export function claimsIn(jwt: string): Claims {
  const payload = (jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const claims = JSON.parse(atob(payload)) as unknown;
  if (typeof claims !== 'object' || claims === null) throw new Error('The provider’s token holds no claims.');
  return claims as Claims;
}

const stringOr = <T>(value: unknown, fallback: T): string | T => (typeof value === 'string' ? value : fallback);

/** How long it lives from now on, in ms: as the provider says, or its claims if they say less. By lifetimes, as clocks differ. */
function lifetimeMs({ access_token, expires_in }: TokenAnswer, now: number): number {
  const { exp, iat } = claimsIn(access_token);
  const byClaims = Number(exp) - (typeof iat === 'number' ? iat : now / 1_000);
  const lifetimes = [Number(expires_in ?? NaN), byClaims].filter(Number.isFinite);
  if (lifetimes.length === 0) throw new Error('The provider’s token has no end, so the gateway does not take it.');
  return Math.max(SHORTEST_MS, Math.min(...lifetimes) * 1_000);
}

function keptOf(answer: TokenAnswer, now: number) {
  const lives = lifetimeMs(answer, now);
  const endsAt = now + lives;
  return { access: answer.access_token, endsAt, renewAt: endsAt - Math.min(LEAD_MS, lives / 4) };
}

/** What is kept of a sign-in. @throws Error where the token is none */
export const begunWith = (provider: Provider, answer: TokenAnswer, now: number): Kept => ({
  provider,
  family: crypto.randomUUID(),
  generation: 0,
  ...keptOf(answer, now),
  refresh: stringOr(answer.refresh_token, null),
  id: stringOr(answer.id_token, null),
});

/** Whether both tokens are of one person: a subject is one at its issuer alone (OpenID Connect Core 1.0, section 2). */
export function samePerson(firstJwt: string, secondJwt: string): boolean {
  const [a, b] = [claimsIn(firstJwt), claimsIn(secondJwt)];
  return typeof a['sub'] === 'string' && a['sub'] === b['sub'] && a['iss'] === b['iss'];
}

/**
 * What is kept after a renewal. A provider that rotates gives a refresh token with it; else the one there is stays (RFC 6749, section 6).
 * @throws OtherPerson where a token of it is not of who signed in (OpenID Connect Core 1.0, section 12.2); Error where it is none
 */
export function renewedBy(previousCredentials: Kept, answer: TokenAnswer, now: number): Kept {
  const id = stringOr(answer.id_token, null);
  const isOtherPerson = !samePerson(previousCredentials.access, answer.access_token);
  if (isOtherPerson || (id !== null && previousCredentials.id !== null && !samePerson(previousCredentials.id, id)))
    throw new OtherPerson('The provider renewed your sign-in with a token of somebody else, which was thrown away.');
  return {
    ...previousCredentials,
    generation: previousCredentials.generation + 1,
    ...keptOf(answer, now),
    refresh: stringOr(answer.refresh_token, previousCredentials.refresh),
    id: id ?? previousCredentials.id,
  };
}

/**
 * The ID token says whom the provider is to sign out. It stands in the address: not where the gateway would let somebody in with it, as
 * it is for the same audience as access tokens, or where that can't be told. The provider asks the person then.
 */
export function hintOf({ access, id }: Pick<Kept, 'access' | 'id'>): string | null {
  if (id === null) return null;
  try {
    const audience = audienceOf(access);
    return audienceOf(id).some((recipient) => audience.includes(recipient)) ? null : id;
  } catch {
    return null;
  }
}

const audienceOf = (jwt: string): unknown[] => [claimsIn(jwt)['aud']].flat();
