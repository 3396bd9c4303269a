const { existsSync, readdirSync } = require('node:fs');

/**
 * Who may import whom. Floors, from the ground up:
 * kernel <- task-process, worker-protocol <- gpu-worker, and
 * kernel <- task-process <- platform, prompting, graphql-kit <- domain-kit <- domains <- graphql <- main.ts and the programs beside it.
 */
const DOMAIN_FLOORS = [
  ['access'],
  ['registry', 'knowledge'],
  ['data', 'ask'],
  ['training', 'feedback'],
  ['evaluation', 'monitoring'],
  ['delivery', 'fleet'],
  ['improvement'],
];
const DOMAINS = DOMAIN_FLOORS.flat();
/** Open themselves as domains do, and are none that others stand on. */
const BESIDE_THEM = ['erasure', 'openai'];
const unplaced = readdirSync('src').filter(
  (name) => existsSync(`src/${name}/open.ts`) && ![...DOMAINS, ...BESIDE_THEM].includes(name),
);
if (unplaced.length > 0) throw new Error(`On which of DOMAIN_FLOORS does ${unplaced.join(', ')} stand?`);
const folders = (names) => `^src/(${names.join('|')})/`;
/** `ask` may read features, which `data` keeps; nothing else on a floor sees its neighbour. */
const NEIGHBOURS = { ask: ['data'] };

const upwards = DOMAIN_FLOORS.flatMap((floor, level) =>
  floor.map((name) => {
    const below = [...DOMAIN_FLOORS.slice(0, level).flat(), ...(NEIGHBOURS[name] ?? [])];
    const forbidden = DOMAINS.filter((other) => other !== name && !below.includes(other));
    return {
      name: `${name}-looks-down-only`,
      comment: `Domains stand on floors; ${name} may use ${below.join(', ') || 'no other domain'}. What would point upwards travels as data, so that a floor can be understood, tested and replaced without those above it.`,
      severity: 'error',
      from: { path: folders([name]) },
      to: { path: folders(forbidden) },
    };
  }),
);

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Modules that need each other are one module; under ESM a cycle of decorated classes crashes at load.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'kernel-imports-nothing-of-ours',
      comment: 'Both processes and every floor stand on the kernel: whatever it imported, all would.',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { path: '^(src|gpu-worker|test|bench)/', pathNot: '^src/kernel/' },
    },
    {
      name: 'protocol-imports-the-kernel-only',
      comment:
        'The protocol is shared by two programs that are released and restarted apart; it must not drag one into the other.',
      severity: 'error',
      from: { path: '^src/worker-protocol/' },
      to: { path: '^(src|gpu-worker|test|bench)/', pathNot: '^src/(worker-protocol|kernel)/' },
    },
    {
      name: 'task-process-imports-the-kernel-only',
      comment: 'What does one task in a process of its own must load fast, and is used by both programs.',
      severity: 'error',
      from: { path: '^src/task-process/' },
      to: { path: '^(src|gpu-worker|test|bench)/', pathNot: '^src/(task-process|kernel)/' },
    },
    {
      name: 'worker-imports-protocol-and-kernel-only',
      comment:
        'The worker has no database and no network: what it can’t import it can’t reach. It may run on another machine.',
      severity: 'error',
      from: { path: '^gpu-worker/' },
      to: { path: '^(src|test|bench)/', pathNot: '^src/(worker-protocol|task-process|kernel)/' },
    },
    {
      name: 'gateway-never-imports-the-worker',
      comment:
        'Native engines crash; loaded into the gateway, they would take the API with them. The worker is reached by its protocol.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^gpu-worker/' },
    },
    {
      name: 'engines-stay-in-the-worker',
      comment: 'The same for the engines themselves, whoever imports them.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/(node-llama-cpp|onnxruntime-node|koffi)/' },
    },
    {
      name: 'templates-run-in-a-throw-away-process',
      comment:
        'A chat template is a program of whoever wrote the model’s file. It runs where its loops and its memory harm nobody; what it wrote goes on as data.',
      severity: 'error',
      from: { path: '^(src|gpu-worker)/', pathNot: '^gpu-worker/chat/' },
      to: { path: 'node_modules/@huggingface/jinja/' },
    },
    {
      name: 'templates-are-read-by-main-only',
      comment: 'The same for what runs them: `gpu-worker/main.ts` loads it when it is a throw-away process.',
      severity: 'error',
      from: { path: '^(src|gpu-worker)/', pathNot: '^gpu-worker/(chat/|main\\.ts$)' },
      to: { path: '^gpu-worker/chat/' },
    },
    {
      name: 'traces-go-through-the-port',
      comment:
        'OpenTelemetry’s library is loaded only where a collector is named, and its names change: one file knows it, everything else the port.',
      severity: 'error',
      from: { path: '^(src|gpu-worker)/', pathNot: '^src/platform/tracing/otlp-tracer\\.ts$' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'platform-knows-no-domain',
      comment:
        'Databases, files, processes and runs serve every domain alike; a domain’s rule in there would be found by nobody.',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/', pathNot: '^src/((platform|kernel|worker-protocol|task-process)/|config\\.ts$)' },
    },
    {
      name: 'domain-kit-knows-no-domain',
      comment: 'Every domain states by it what it has; it knows only what all of them stand on.',
      severity: 'error',
      from: { path: '^src/domain-kit/' },
      to: { path: '^src/', pathNot: '^src/(domain-kit|graphql-kit|platform|kernel)/' },
    },
    {
      name: 'graphql-kit-is-pure',
      comment: 'Every resolver stands on the kit; it takes rows and events by their shape, not from the platform.',
      severity: 'error',
      from: { path: '^src/graphql-kit/' },
      to: { path: '^src/', pathNot: '^src/(graphql-kit|kernel)/' },
    },
    {
      name: 'prompting-is-pure',
      comment:
        'The same prompts are rendered for training and for serving: a pure function of its arguments, or they drift apart.',
      severity: 'error',
      from: { path: '^src/prompting/' },
      to: { path: '^src/', pathNot: '^src/(prompting|kernel|worker-protocol)/' },
    },
    {
      name: 'erasure-knows-no-domain',
      comment:
        'What holds copies of what people wrote registers with it; a list of holders in there would miss the next one.',
      severity: 'error',
      from: { path: '^src/erasure/' },
      to: { path: '^src/', pathNot: '^src/(erasure|kernel|platform|graphql-kit|domain-kit)/' },
    },
    {
      name: 'domains-know-no-server',
      comment: 'A use case must work without HTTP: from a run, a test, another domain.',
      severity: 'error',
      from: { path: folders(DOMAINS) },
      to: { path: '^src/(graphql/|main\\.ts|config\\.ts|demo/)' },
    },
    ...DOMAINS.map((name) => ({
      name: `${name}-by-its-index`,
      comment: `What src/${name}/index.ts does not export is its own business and may change without asking.`,
      severity: 'error',
      from: { path: '^(src|bench)/', pathNot: `^src/${name}/` },
      to: { path: `^src/${name}/`, pathNot: `^src/${name}/index\\.ts$` },
    })),
    ...upwards,
    {
      name: 'datasets-know-not-who-answers',
      comment:
        'Datasets and features stand without what answering makes of them; that registers with them what it must let go of.',
      severity: 'error',
      from: { path: '^src/data/(datasets|features)/' },
      to: { path: '^src/data/answering/' },
    },
    {
      name: 'tasks-know-files-only',
      comment:
        'Importing, storing, checking and training read a task’s definition; what it looked at of them would go round in a circle.',
      severity: 'error',
      from: { path: '^src/data/datasets/tasks/' },
      to: { path: '^src/data/', pathNot: '^src/data/datasets/(tasks|files)/' },
    },
    {
      name: 'server-does-not-wire',
      comment: 'The server takes its parts as arguments; only main.ts knows everything.',
      severity: 'error',
      from: { path: '^src/graphql/' },
      to: { path: '^src/(main\\.ts|config\\.ts|demo/)' },
    },
    {
      name: 'config-is-read-once',
      comment:
        'The environment is read and checked at the start of a program; everything else gets what was read, or it can’t be tested side by side. Its type may be named.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main\\.ts|work\\.ts|demo/|cli/installation\\.ts)' },
      to: { path: '^src/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'database-by-its-index',
      comment: 'The generated client moves with Prisma’s versions: one file re-exports what others may use.',
      severity: 'error',
      from: { path: '^(src|test|bench)/', pathNot: '^src/platform/database/' },
      to: { path: '^src/platform/database/generated/' },
    },
    {
      name: 'operations-stand-alone',
      comment: 'Operations and client are what others build on; they must not pull in the gateway.',
      severity: 'error',
      from: { path: '^src/(operations|client)/' },
      to: { path: '^(src|gpu-worker|test|bench)/', pathNot: '^src/(operations|client)/' },
    },
    {
      name: 'product-without-tests',
      comment: 'What ships must not need what does not.',
      severity: 'error',
      from: { path: '^(src|gpu-worker)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-development-packages',
      comment: 'An installation with `npm ci --omit=dev` must run.',
      severity: 'error',
      from: { path: '^(src|gpu-worker)/', pathNot: '^src/graphql/playground/app/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'A package that only happens to be installed vanishes with the next update of another.',
      severity: 'error',
      from: {},
      to: {
        dependencyTypes: ['npm-no-pkg', 'unknown', 'undetermined'],
        dependencyTypesNot: ['type-only'],
        // Holds types alone, so there is no module to resolve.
        pathNot: '^@graphql-typed-document-node/core$',
      },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/generated/'] },
    exclude: { path: ['^dist/', '^src/graphql/playground/app/', '^src/console/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
