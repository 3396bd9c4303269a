import { errors, jwtVerify } from 'jose';
import type { Caller } from '../../../kernel/caller.js';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../../kernel/ids.js';
import { groupsIn, personIn, roleIn, workspaceIn, type Claims } from './claims.js';
import type { OidcSettings } from './oidc-settings.js';
import type { OpenIdProvider } from './openid-provider.js';

/** Signed with a private key: a shared secret or none at all is never taken, whatever a token says of itself. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** How far the clocks of provider and gateway may differ, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 30;
const LONGEST_TOKEN = 16 * 1024;

/** What looks like a token of a provider: three parts in base64url. */
export const isJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

interface TokenVerifierParts {
  keys: Pick<OpenIdProvider, 'key'>;
  /** By its name. */
  workspace: (name: string) => Promise<{ id: WorkspaceId } | null>;
}

/** Refused alike, whatever is wrong: who forges one isn't told how near it came. What is wrong stands in the log of who asks for it (`cause`). */
const refused = (): GraftError =>
  new GraftError('UNAUTHENTICATED', 'The token is not one that is taken here.', {
    hint: 'Sign in again; it must be signed by the configured issuer, be for this gateway, and not have expired.',
  });

/** Says who sends a token that an OpenID provider signed. */
export class TokenVerifier {
  constructor(
    private readonly settings: OidcSettings,
    private readonly parts: TokenVerifierParts,
  ) {}

  /**
   * @returns the caller, and when the token ends, in ms since 1970
   * @throws UNAUTHENTICATED, FORBIDDEN where it gives no role or names no workspace, IDENTITY_PROVIDER_UNAVAILABLE
   */
  async verify(token: string, now: Date): Promise<{ caller: Caller; expiresAt: number }> {
    const claims = await this.#claims(token, now);
    const role = roleIn(claims, this.settings);
    const caller = {
      workspaceId: await this.#workspace(claims),
      role,
      groups: groupsIn(claims, role, this.settings),
      key: personIn(claims, this.settings.issuer),
    };
    return { caller, expiresAt: (Number(claims['exp']) + CLOCK_TOLERANCE_SECONDS) * 1_000 };
  }

  async #claims(token: string, currentDate: Date): Promise<Claims> {
    if (token.length > LONGEST_TOKEN) throw refused();
    try {
      const { payload } = await jwtVerify(token, this.parts.keys.key, {
        issuer: this.settings.issuer,
        audience: this.settings.audience,
        currentDate,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      if (typeof payload.sub !== 'string' || payload.sub === '') throw refused();
      return payload;
    } catch (error) {
      if (isGraftError(error)) throw error;
      if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError)
        throw refused();
      throw error;
    }
  }

  async #workspace(claims: Claims): Promise<WorkspaceId> {
    const { workspaceClaim } = this.settings;
    if (workspaceClaim === null) return DEFAULT_WORKSPACE_ID;
    const name = workspaceIn(claims, workspaceClaim);
    const workspace = name === null ? null : await this.parts.workspace(name);
    if (workspace) return workspace.id;
    throw new GraftError('FORBIDDEN', 'Your token names no workspace that is here.', {
      hint: `The claim ${workspaceClaim} must hold a workspace’s name.`,
    });
  }
}
