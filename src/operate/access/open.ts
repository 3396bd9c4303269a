import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import { isAllowed } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';
import { HOUR_MS } from '../../kernel/duration.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../kernel/ids.js';
import type { Platform } from '../../platform/platform.js';
import type { GaugeSource } from '../../platform/telemetry/index.js';
import { Admission } from './admission/admission.js';
import { admissionGauges } from './admission/gauges.js';
import { AuditLog } from './audit/audit-log.js';
import { AuditResolver, toAuditEntry } from './audit/audit-graphql.js';
import { auditLines } from './audit/audit-export.js';
import { AuditStore, type AuditFilter } from './audit/audit-store.js';
import { KeyBudgetResolver, WorkspaceBudgetResolver } from './budgets/budget-graphql.js';
import { BudgetStore } from './budgets/budget-store.js';
import { Ledger } from './budgets/ledger.js';
import { AccessHooks } from './field-hooks.js';
import { ApiKeyResolver, type ApiKeyResolverParts } from './keys/api-key-graphql.js';
import { ApiKeyService } from './keys/api-key-service.js';
import { ApiKeyStore } from './keys/api-key-store.js';
import { createLocalKey } from './keys/local-key.js';
import { toApiKey } from './keys/api-key-types.js';
import { Authenticator } from './keys/authenticator.js';
import { oidcSettings, type OidcSettings, type OidcVariables } from './oidc/oidc-settings.js';
import { OpenIdProvider } from './oidc/openid-provider.js';
import { TokenVerifier } from './oidc/token-verifier.js';
import { WorkspaceResolver } from './workspaces/workspace-graphql.js';
import { isOverseer, WorkspaceService, type PrepareWorkspace } from './workspaces/workspace-service.js';
import { WorkspaceStore } from './workspaces/workspace-store.js';
import { toWorkspace } from './workspaces/workspace-types.js';

type NodeParts = ApiKeyResolverParts & { auditStore: AuditStore };

export const accessDomain = defineDomain({
  classes: [ApiKeyResolver, WorkspaceResolver, KeyBudgetResolver, WorkspaceBudgetResolver, AuditResolver],
  runs: [],
  /** What needs a role as a field needs it as a node, too. */
  registerNodes(nodes: NodeRegistry, { keyStore, workspaces, auditStore }: NodeParts) {
    nodes.register('ApiKey', async ({ caller, workspaceId }, id) => {
      if (!isAllowed(caller.role, 'ADMIN') && caller.key?.id !== id) return null;
      const row = await keyStore.byId(workspaceId, id);
      return row && toApiKey(row);
    });
    nodes.register('AuditEntry', async ({ caller, workspaceId }, id) => {
      const row = isAllowed(caller.role, 'ADMIN') ? await auditStore.byId(workspaceId, id) : null;
      return row && toAuditEntry(row);
    });
    nodes.register('Workspace', async ({ caller, workspaceId }, id) => {
      if (id !== (workspaceId as string) && !isOverseer(caller)) return null;
      const row = (await workspaces.byIds([id]))[0];
      return row ? toWorkspace(row) : null;
    });
  },
});

/** Who may come in, what they may do and spend, and what they did: keys, roles, workspaces, budgets, the audit log. */
export interface Access {
  readonly authenticator: Authenticator;
  readonly keys: ApiKeyService;
  readonly keyStore: ApiKeyStore;
  readonly workspaces: WorkspaceService;
  readonly workspaceStore: WorkspaceStore;
  readonly ledger: Ledger;
  /** What goes around each field that changes or spends something. */
  readonly hooks: AccessHooks;
  readonly admission: Admission;
  /** Makes the first key where nobody has one and GRAFT_FIRST_KEY says so. @returns what its owner sends; null where none is made */
  readonly makeFirstKey: () => Promise<string | null>;
  /** By which provider the console signs in; null: by keys only. */
  readonly consoleSignIn:
    (Pick<OidcSettings, 'issuer' | 'scope'> & Pick<OpenIdProvider, 'tokenOrigins'> & { clientId: string }) | null;
  /** What is waiting and running, for `/metrics`. */
  readonly gauges: readonly GaugeSource[];
  /** A workspace's audit log as lines of NDJSON. */
  readonly auditLines: (workspaceId: WorkspaceId, filter: AuditFilter) => AsyncIterable<string>;
  readonly offer: Offer;
}

type AccessPlatform = Pick<Platform, 'database' | 'clock' | 'log'> & {
  runs: Platform['runs'];
  config: Pick<
    Platform['config'],
    | 'GRAFT_HOST'
    | 'GRAFT_REQUIRE_KEY'
    | 'GRAFT_FIRST_KEY'
    | 'DATABASE_URL'
    | 'GRAFT_TRUSTED_PROXIES'
    | 'GRAFT_AUDIT_DAYS'
    | 'GRAFT_MAX_WAIT_SECONDS'
    | keyof OidcVariables
  >;
};

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/**
 * @param prepareWorkspace gives a new workspace what comes with Graft
 * @throws SETUP_FAILED where callers need a key and nobody could have one
 */
export async function openAccess(
  { database, clock, log, runs, config }: AccessPlatform,
  prepareWorkspace: PrepareWorkspace,
): Promise<Access> {
  const keyStore = new ApiKeyStore(database);
  const oidc = oidcSettings(config);
  // Where people come with tokens, or a proxy is named, one stands in front: whoever comes through it without a key would be the machine's own.
  const proxied = oidc !== null || config.GRAFT_TRUSTED_PROXIES.length > 0;
  const keyless = !proxied && LOOPBACK.includes(config.GRAFT_HOST) && config.GRAFT_REQUIRE_KEY === 'off';
  const admins = oidc !== null && [...oidc.roles.values()].includes('ADMIN');
  const lacksKey = async () => !keyless && !admins && !(await keyStore.hasAdmin(DEFAULT_WORKSPACE_ID));
  const makesFirstKey = config.GRAFT_FIRST_KEY === 'on' && config.DATABASE_URL === undefined;
  if (!makesFirstKey && (await lacksKey())) throw noKeyYet(config);
  const workspaceStore = new WorkspaceStore(database);
  const access = log.child({ part: 'access' });
  const provider = oidc && new OpenIdProvider(oidc.issuer, { clock, log: access });
  const tokens =
    oidc && provider && new TokenVerifier(oidc, { keys: provider, workspace: (name) => workspaceStore.byName(name) });
  const authenticator = new Authenticator({ store: keyStore, clock, log: access, keyless, tokens });
  const auditStore = new AuditStore(database);
  const budgetStore = new BudgetStore(database);
  const expireAudit = async (): Promise<void> => {
    const days = config.GRAFT_AUDIT_DAYS;
    const removed = await auditStore.removeOlderThan(days);
    if (removed > 0) log.info({ removed, days }, 'entries of the audit log removed by age');
  };
  const ledger = new Ledger({ store: budgetStore, clock, log });
  const admission = new Admission({ clock, maxWaitMs: config.GRAFT_MAX_WAIT_SECONDS * 1000 });
  runs.surround(ledger.aroundRun);
  const services = {
    keyStore,
    auditStore,
    budgetStore,
    ledger,
    keys: new ApiKeyService({ store: keyStore, clock, changed: (prefix) => authenticator.forget(prefix) }),
    workspaces: new WorkspaceService({ store: workspaceStore, prepare: prepareWorkspace }),
  };
  return {
    authenticator,
    makeFirstKey: async () => {
      if (!makesFirstKey || !(await lacksKey())) return null;
      const input = { name: 'first', role: 'ADMIN', expiresAt: null } as const;
      return (await createLocalKey(database, access, DEFAULT_WORKSPACE_ID, input, 'GRAFT_FIRST_KEY')).token;
    },
    workspaceStore,
    admission,
    ...services,
    hooks: new AccessHooks({ admission, ledger, audit: new AuditLog({ store: auditStore, log }) }),
    consoleSignIn:
      oidc?.clientId && provider
        ? { issuer: oidc.issuer, clientId: oidc.clientId, scope: oidc.scope, tokenOrigins: provider.tokenOrigins }
        : null,
    gauges: admissionGauges(admission),
    auditLines: (workspaceId, filter) => auditLines(auditStore, workspaceId, filter),
    offer: offer(accessDomain, runs, services, {
      chores: [{ name: 'expire the audit log', everyMs: HOUR_MS, work: expireAudit }],
      stop: async () => {
        authenticator.close();
        await ledger.close();
      },
    }),
  };
}

/** Why every caller needs a key. */
function whyKeys({ GRAFT_HOST, GRAFT_REQUIRE_KEY, GRAFT_TRUSTED_PROXIES }: AccessPlatform['config']): string {
  if (GRAFT_REQUIRE_KEY === 'on') return 'GRAFT_REQUIRE_KEY asks every caller for a key';
  return GRAFT_TRUSTED_PROXIES.length > 0
    ? 'Graft would be reached from elsewhere through GRAFT_TRUSTED_PROXIES'
    : `Graft would be reached from elsewhere at ${GRAFT_HOST}`;
}

const noKeyYet = (config: AccessPlatform['config']): GraftError =>
  new GraftError('SETUP_FAILED', `${whyKeys(config)}, and there is no key with role ADMIN.`, {
    hint: 'Make the first key with `npx graft keys create --role ADMIN` in the folder where Graft starts (it works on GRAFT_HOME or DATABASE_URL), keep what it prints, and start again.',
  });
