import { v5 } from 'uuid';
import { isAllowed, type CallerKey, type Groups, type Role } from '../../../kernel/caller.js';
import { GraftError } from '../../../kernel/errors.js';
import type { Uuid } from '../../../kernel/ids.js';
import { beginningOf, storable, UNSEEN } from '../../../kernel/text.js';
import type { OidcSettings } from './oidc-settings.js';

/** A claim with more values than this was made by mistake, or to be searched for long. */
const MOST_VALUES = 1_000;
const LONGEST_VALUE = 100;
const LONGEST_NAME = 100;

/** What a token says of who sends it, after its signature and its times were checked. */
export type Claims = Readonly<Record<string, unknown>>;

const forbidden = (message: string, hint?: string): GraftError => new GraftError('FORBIDDEN', message, { hint });

/** The claim of this name; dots lead into objects: `realm_access.roles`. */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split('.')
    .reduce<unknown>(
      (value, part) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      claims,
    );
}

/** Its values, be it a list or one text, in the Unicode form in which names are stored. @throws FORBIDDEN for more than 1,000 */
function valuesOf(claims: Claims, name: string): string[] {
  const claim = claimOf(claims, name);
  const values = Array.isArray(claim) ? (claim as unknown[]) : [claim];
  if (values.length > MOST_VALUES)
    throw forbidden(`The claim ${name} of the token has ${values.length} values; at most ${MOST_VALUES} are read.`);
  return values
    .filter((value): value is string => typeof value === 'string' && value !== '' && value.length <= LONGEST_VALUE)
    .map((value) => value.normalize('NFC'));
}

/** The highest role that the token gives. @throws FORBIDDEN where it gives none */
export function roleIn(claims: Claims, { roles, rolesClaim }: Pick<OidcSettings, 'roles' | 'rolesClaim'>): Role {
  let highestRole: Role | null = null;
  for (const value of valuesOf(claims, rolesClaim)) {
    const role = roles.get(value);
    if (role && (highestRole === null || isAllowed(role, highestRole))) highestRole = role;
  }
  if (highestRole !== null) return highestRole;
  throw forbidden(
    'Your token gives you no role here.',
    `An administrator maps values of the claim ${rolesClaim} to roles.`,
  );
}

/** Whose documents its owner sees; an administrator could join any group. @throws FORBIDDEN */
export const groupsIn = (claims: Claims, role: Role, { groupsClaim }: Pick<OidcSettings, 'groupsClaim'>): Groups =>
  role === 'ADMIN' ? null : [...new Set(valuesOf(claims, groupsClaim))];

/** The workspace’s name; null where the claim says none. */
export function workspaceIn(claims: Claims, claim: string): string | null {
  const [name] = valuesOf(claims, claim);
  return name ?? null;
}

/** As who it is written down: the same for all tokens of a person. What is counted for a key is counted for the person. */
export function personIn(claims: Claims, issuer: string): CallerKey {
  const subject = String(claims['sub']);
  const id = v5(`${issuer} ${subject}`, v5.URL) as Uuid;
  const name = [claims['email'], claims['preferred_username'], claims['name']].find(
    (claim): claim is string => typeof claim === 'string' && claim !== '',
  );
  const displayName = beginningOf(storable((name ?? subject).replace(new RegExp(UNSEEN, 'gu'), ' ')), LONGEST_NAME);
  return { id, lineId: id, prefix: `oidc_${id.slice(0, 8)}`, name: displayName };
}
