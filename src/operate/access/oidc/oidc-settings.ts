import { Role } from '../../../kernel/caller.js';
import { GraftError } from '../../../kernel/errors.js';

/** The variables of the configuration that tell of a provider. */
export interface OidcVariables {
  GRAFT_OIDC_ISSUER?: string | undefined;
  GRAFT_OIDC_AUDIENCE?: string | undefined;
  GRAFT_OIDC_CLIENT_ID?: string | undefined;
  GRAFT_OIDC_SCOPE: string;
  GRAFT_OIDC_ROLES: readonly string[];
  GRAFT_OIDC_ROLES_CLAIM: string;
  GRAFT_OIDC_GROUPS_CLAIM: string;
  GRAFT_OIDC_WORKSPACE_CLAIM?: string | undefined;
}

export interface OidcSettings {
  issuer: string;
  /** What tokens must be for. */
  audience: string;
  /** Which roles values of the claim give. */
  roles: ReadonlyMap<string, Role>;
  rolesClaim: string;
  groupsClaim: string;
  /** Null: all are of the first workspace. */
  workspaceClaim: string | null;
  /** By which the console signs in; null: it takes keys only. */
  clientId: string | null;
  /** What the console asks for there, separated by spaces. */
  scope: string;
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

const wrong = (message: string, hint?: string): GraftError => new GraftError('SETUP_FAILED', message, { hint });

/** @returns null where no provider is named @throws SETUP_FAILED for what would let in nobody, or whom nobody meant */
export function oidcSettings(variables: OidcVariables): OidcSettings | null {
  const { GRAFT_OIDC_ISSUER: issuer, GRAFT_OIDC_AUDIENCE: audience } = variables;
  if (issuer === undefined) {
    if (audience !== undefined) throw wrong('GRAFT_OIDC_AUDIENCE is set, and GRAFT_OIDC_ISSUER isn’t.');
    return null;
  }
  const url = new URL(issuer);
  if (url.protocol !== 'https:' && !LOOPBACK.has(url.hostname))
    throw wrong('GRAFT_OIDC_ISSUER must be an https URL: whoever stands between could name keys of theirs.');
  if (url.search !== '' || url.hash !== '') throw wrong('GRAFT_OIDC_ISSUER must have neither a query nor a fragment.');
  if (audience === undefined)
    throw wrong('GRAFT_OIDC_AUDIENCE must say what tokens are for: else one for any other service would do.');
  const roles = new Map<string, Role>();
  for (const pair of variables.GRAFT_OIDC_ROLES) {
    const separatorIndex = pair.lastIndexOf('=');
    const [value, role] = [pair.slice(0, separatorIndex).trim(), pair.slice(separatorIndex + 1).trim()];
    if (separatorIndex < 1 || value === '' || !Object.hasOwn(Role, role))
      throw wrong(
        `GRAFT_OIDC_ROLES: ${JSON.stringify(pair)} is no pair such as staff=ASK.`,
        'Roles are ASK, EDIT, OPERATE and ADMIN.',
      );
    roles.set(value.normalize('NFC'), role as Role);
  }
  if (roles.size === 0) throw wrong('GRAFT_OIDC_ROLES must give somebody a role: staff=ASK,operators=ADMIN.');
  return {
    issuer,
    audience,
    roles,
    rolesClaim: variables.GRAFT_OIDC_ROLES_CLAIM,
    groupsClaim: variables.GRAFT_OIDC_GROUPS_CLAIM,
    workspaceClaim: variables.GRAFT_OIDC_WORKSPACE_CLAIM ?? null,
    clientId: variables.GRAFT_OIDC_CLIENT_ID ?? null,
    scope: variables.GRAFT_OIDC_SCOPE,
  };
}
