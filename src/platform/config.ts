import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { compile } from '@fastify/proxy-addr';
import { z } from 'zod';
import { GraftError } from '../kernel/errors.js';

const folder = z.string().transform((path) => resolve(path.replace(/^~(?=\/|$)/, homedir())));
const whole = (from: number, to: number) => z.coerce.number().int().min(from).max(to);
const names = z.string().transform((list) =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);
const pairs = (example: string, value = /./) =>
  names
    .transform((list) => list.map((pair) => pair.split('=').map((part) => part.trim()) as [string, string]))
    .refine((list) => list.every(([name, text = '', ...more]) => name && value.test(text) && more.length === 0), {
      error: `must be pairs such as ${example}`,
    })
    .transform((list): Record<string, string> => Object.fromEntries(list));
/** What `@fastify/proxy-addr` takes: addresses, networks, and its names for private ones. */
const proxies = names.refine((list) => isList(list), { error: 'must be addresses or networks such as 10.0.0.0/8' });
const isList = (list: string[]): boolean => {
  try {
    compile(list);
    return true;
  } catch {
    return false;
  }
};
const urlOf = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** URLs of engines, comma-separated; `dns+` before one stands for every address that its name has. */
const engines = names.pipe(
  z.array(
    z.string().refine(
      (text) => {
        const url = text.replace(/^dns\+(?=http:)/, '');
        return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
      },
      { error: 'must be URLs such as http://10.0.0.7:8000, or dns+http://vllm:8000 for all addresses of a name' },
    ),
  ),
);

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Every variable that Graft reads from the environment, with its default and a sentence. An empty value counts as unset. */
const environment = z.object({
  GRAFT_HOME: folder
    .default(() => resolve('.graft'))
    .describe(
      'Folder of this installation’s data: database, vectors, artifacts, uploads; relative to where Graft starts.',
    ),
  GRAFT_HOST: z
    .string()
    .default('127.0.0.1')
    .describe(
      'Address to listen on. On loopback (127.0.0.1, ::1, localhost) nobody needs a key; anywhere else everybody does, and Graft starts only once `graft keys create --role ADMIN` has made one. Keys travel as they are: put TLS in front.',
    ),
  GRAFT_REQUIRE_KEY: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'Whether callers on loopback need a key, too: `on` or `off`. Set it where a reverse proxy that `GRAFT_TRUSTED_PROXIES` does not name passes on what comes from elsewhere.',
    ),
  GRAFT_FIRST_KEY: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'Whether a start makes a key with role `ADMIN` and prints it once, where callers need a key and there is none: `on` or `off`. It does so with the embedded database only. The image sets it.',
    ),
  GRAFT_OIDC_ISSUER: urlOf('http:', 'https:')
    .optional()
    .describe(
      'An OpenID provider whose tokens callers may send in place of a key (`Authorization: Bearer <token>`), exactly as its tokens name it; its keys are found by `/.well-known/openid-configuration`. Every caller needs a token or a key then, on loopback, too.',
    ),
  GRAFT_OIDC_AUDIENCE: z.string().optional().describe('What its tokens must be for (`aud`); wanted with an issuer.'),
  GRAFT_OIDC_ROLES: names
    .default([])
    .describe(
      'Which values of the roles claim give which role, comma-separated: `staff=ASK,operators=ADMIN`; wanted with an issuer. Who has none is let in nowhere.',
    ),
  GRAFT_OIDC_ROLES_CLAIM: z
    .string()
    .default('groups')
    .describe('The claim with those values; dots lead into objects (`realm_access.roles`).'),
  GRAFT_OIDC_GROUPS_CLAIM: z
    .string()
    .default('groups')
    .describe('The claim with the groups whose documents its owner sees.'),
  GRAFT_OIDC_WORKSPACE_CLAIM: z
    .string()
    .optional()
    .describe('The claim with the name of the workspace; unset, all are of the first one.'),
  GRAFT_OIDC_CLIENT_ID: z
    .string()
    .optional()
    .describe(
      'The public client (code flow with PKCE, no secret) by which the console signs in; unset, it takes keys only.',
    ),
  GRAFT_OIDC_SCOPE: z
    .string()
    .regex(
      /^(?=(.* )?openid( |$))[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/,
      'must be scopes separated by single spaces, openid among them',
    )
    .default('openid profile email')
    .describe(
      'What the console asks for there, separated by spaces. Some providers renew a sign-in only with `offline_access`.',
    ),
  GRAFT_AUDIT_DAYS: whole(0, 36_500)
    .default(400)
    .describe('For how many days entries of the audit log are kept; 0 keeps them for good.'),
  GRAFT_PORT: whole(0, 65_535).default(4000).describe('Port to listen on; 0 takes a free one and prints it.'),
  GRAFT_ALLOWED_HOSTS: names
    .default([])
    .describe('Host names, comma-separated, that requests may name besides the loopback ones, for a reverse proxy.'),
  GRAFT_TRUSTED_PROXIES: proxies
    .default([])
    .describe(
      'Addresses (`10.0.0.5`) or networks, comma-separated, of the reverse proxies in front, whose `X-Forwarded-For`, `-Host` and `-Proto` are believed: wrong keys are then counted by who sends them, and links in answers of `/v1` name the address that was called. Every caller needs a key then, on loopback, too. Without it all that comes through a proxy counts as one sender. Name the proxy, not its whole network. `loopback`, `linklocal` and `uniquelocal` stand for such networks.',
    ),
  GRAFT_ALLOWED_ORIGINS: names
    .default([])
    .describe('Origins, comma-separated (`https://app.example.com`), whose pages may call Graft besides its own.'),
  GRAFT_OPENAI_MODELS: pairs('gpt-4o-mini=smollm2')
    .default({})
    .describe(
      'Models that stand for OpenAI’s names at `/v1`, comma-separated: `gpt-4o-mini=smollm2-135m,gpt-4o-mini-2024-07-18=smollm2-135m`.',
    ),
  GRAFT_MAX_UPLOAD_BYTES: whole(1, Number.MAX_SAFE_INTEGER)
    .default(4 * 1024 ** 3)
    .describe('Largest file that `POST /files`, `POST /v1/files` and `POST /v1/uploads` take, in bytes.'),
  GRAFT_DRAIN_SECONDS: whole(0, 600)
    .default(10)
    .describe('How long running requests may take to finish after SIGTERM, in seconds.'),
  GRAFT_MAX_WAIT_SECONDS: whole(1, 600)
    .default(20)
    .describe(
      'How long a question or a search may be expected to wait for those before it, in seconds; one that would wait longer is refused at once with `OVERLOADED` and told when to come back.',
    ),
  GRAFT_OPERATIONS: z
    .enum(['off', 'audit', 'enforce'])
    .default('off')
    .describe(
      'Whether GraphQL answers listed operations only: those of `schema/operations`, the console’s, the command line’s and those of GRAFT_OPERATIONS_FOLDER. `audit` answers all and logs what isn’t listed; `enforce` refuses it with `OPERATION_NOT_LISTED`, introspection included.',
    ),
  GRAFT_OPERATIONS_FOLDER: folder
    .optional()
    .describe(
      'Folder of further operations, read at start: `.graphql` files, and manifests of persisted queries as Apollo writes them (`.json`); at most 10,000 operations.',
    ),
  GRAFT_MODELS: folder
    .default(() => join(homedir(), '.cache', 'graft'))
    .describe('Folder that keeps downloaded model files, shared by all installations of this user.'),
  GRAFT_MODEL: z
    .string()
    .default('smollm2-135m-instruct')
    .describe(
      'The model that answers when a request names none: a name of the catalogue, a registered model as `name` or `name@quantization`, or `auto` for the one of the catalogue that fits this machine (`graft models recommend`).',
    ),
  GRAFT_ANSWER_SECONDS: whole(1, 600)
    .default(10)
    .describe(
      'How long an answer from documents may take that a model words alone on this machine, in seconds, by which `auto` and `graft models recommend` judge.',
    ),
  GRAFT_EMBEDDER: z
    .string()
    .default('all-minilm-l6-v2')
    .describe('Catalogue name of the embedding model; an index keeps the embedder it was built with.'),
  GRAFT_SOURCE_FOLDERS: pairs('handbook=/srv/handbook', /^\//)
    .default({})
    .describe(
      'Folders that sources of every workspace may read, comma-separated, each with the name by which they are asked for: `handbook=/srv/handbook,wiki=/srv/wiki`; unset, none.',
    ),
  GRAFT_ROUTER_REFIT: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'Whether the router is fitted by itself when an adapter gets into production, and anew when collections or adapters have changed: `on` or `off`.',
    ),
  GRAFT_RUNS: names
    .default([])
    .describe(
      'Kinds of waiting runs that this process takes, comma-separated (`TRAINING`), or with a minus those that it leaves to others (`-TRAINING`); unset, it takes all.',
    ),
  GRAFT_WEBHOOK_ALLOWED_HOSTS: names
    .default([])
    .describe(
      'Hosts, comma-separated, that webhooks may call though they are on a loopback, link-local or private address, also by plain HTTP.',
    ),
  DATABASE_URL: urlOf('postgres:', 'postgresql:')
    .optional()
    .describe('An external PostgreSQL (`postgresql://user:password@host:5432/name`) in place of the embedded one.'),
  CHROMA_URL: urlOf('http:', 'https:')
    .optional()
    .describe('An external Chroma server (`http://host:8000`) in place of the embedded one.'),
  GRAFT_S3_ENDPOINT: urlOf('http:', 'https:')
    .optional()
    .describe(
      'A server that speaks S3 (`https://s3.eu-central-1.amazonaws.com`), in which all gateways of a database keep files; the home is then a cache.',
    ),
  GRAFT_S3_BUCKET: z
    .string()
    .optional()
    .describe(
      'The bucket; it must exist. Installations may share one: each has its files under an id of its database’s.',
    ),
  GRAFT_S3_REGION: z.string().default('us-east-1').describe('The region that the bucket lies in.'),
  GRAFT_S3_ACCESS_KEY_ID: z.string().optional().describe('Key with the right to list, read, write and delete there.'),
  GRAFT_S3_SECRET_ACCESS_KEY: z.string().optional().describe('Its secret; it is never logged.'),
  GRAFT_S3_CACHE_BYTES: whole(0, Number.MAX_SAFE_INTEGER)
    .default(20 * 1024 ** 3)
    .describe('What the home keeps of it, in bytes; files used within the last hour stay beyond that.'),
  GRAFT_ENGINES: engines
    .default([])
    .describe(
      'Engines (vLLM or SGLang, started with the default model’s weights) that answer before the worker does, comma-separated: `http://a:8000,http://b:8000`, or `dns+http://vllm:8000` for every address that a headless service has. Each is asked what it is and shown to serve that model before it answers.',
    ),
  GRAFT_ENGINES_API_KEY: z
    .string()
    .optional()
    .describe('The key that the engines want (`--api-key`); it is never logged.'),
  GRAFT_ENGINES_ADAPTERS: folder
    .optional()
    .describe(
      'Folder in which engines find adapters, by the same path there and here, shared by all gateways of a database; the home’s `engine-adapters` unless set.',
    ),
  HF_ENDPOINT: urlOf('http:', 'https:')
    .default('https://huggingface.co')
    .describe('The Hugging Face hub or a mirror of it, for models that are fetched from there.'),
  HF_TOKEN: z.string().optional().describe('Access token for gated models of the hub; it is never logged.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf('http:', 'https:')
    .optional()
    .describe(
      'A collector of OpenTelemetry (`http://collector:4318`); with it Graft traces what it does and sends spans to its `/v1/traces`, as protobuf over HTTP. Unset, nothing is traced. `OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT`, `…_COMPRESSION`, `…_CERTIFICATE` and `OTEL_RESOURCE_ATTRIBUTES` hold as OpenTelemetry defines them.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: urlOf('http:', 'https:')
    .optional()
    .describe('The whole address in its place, where spans go elsewhere (`https://traces.example.com/v1/traces`).'),
  OTEL_SDK_DISABLED: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true` traces nothing, whatever else is set.'),
  OTEL_SERVICE_NAME: z.string().max(255).default('graft').describe('What this gateway is called in traces.'),
  OTEL_TRACES_SAMPLER: z
    .enum(SAMPLERS)
    .default('parentbased_always_on')
    .describe('Which traces are kept; `parentbased_…` does as a caller’s `traceparent` says, where there is one.'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('The share of traces that `…traceidratio` keeps, 0 to 1.'),
  GRAFT_TRACE_TEXT: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'Whether spans hold what people asked, what models read and what they wrote: `on` or `off`. Whoever reads traces reads it then, labelled documents included.',
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('The least severe kind of line that is logged.'),
});

/** The environment as Graft uses it: paths are absolute, numbers are numbers, defaults are filled in. */
export type Config = Readonly<z.infer<typeof environment>>;

/** @throws SETUP_FAILED with one message that names every variable with a bad value */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const set = Object.fromEntries(
    Object.keys(environment.shape).flatMap((name) => (env[name] ? [[name, env[name]] as const] : [])),
  );
  const parsed = environment.safeParse(set);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = SECRET.includes(name) ? 'its value' : JSON.stringify(set[name]);
    return `${name}: ${value} ${issue.message.startsWith('must') ? issue.message : `is not valid (${issue.message})`}.`;
  });
  throw new GraftError('SETUP_FAILED', `The environment has a value that Graft can't use.\n${problems.join('\n')}`);
}

const SECRET = [
  'HF_TOKEN',
  'GRAFT_ENGINES_API_KEY',
  'DATABASE_URL',
  'GRAFT_S3_ACCESS_KEY_ID',
  'GRAFT_S3_SECRET_ACCESS_KEY',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
];

/** What the README shows for a default that depends on the machine. */
const SHOWN_DEFAULTS: Partial<Record<keyof Config, string>> = {
  GRAFT_HOME: './.graft',
  GRAFT_MODELS: '~/.cache/graft',
};

/** The configuration as a Markdown table, for the README. */
export function configTable(): string {
  const rows = Object.entries(environment.shape).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined).data ?? '';
    const defaultText = SHOWN_DEFAULTS[name as keyof Config] ?? (typeof fallback === 'object' ? '' : String(fallback));
    return `| \`${name}\` | ${defaultText === '' ? '' : `\`${defaultText}\``} | ${schema.description ?? ''} |`;
  });
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
