const { readdirSync } = require('node:fs');

/**
 * Who may import whom: a chapter of `src` takes from those that stand before it in this list, never from one that stands beside or behind it.
 * The programs beside the gateway (`cli`, `console`) stand at the end; `src/start.ts` and `src/work.ts` begin a program and know everything.
 */
const CHAPTERS = [
  ['kernel', 'client'],
  ['worker-protocol', 'task-process'],
  ['platform'],
  ['kit'],
  ['sources'],
  ['answer'],
  ['learn', 'operate'],
  ['prove'],
  ['ship'],
  ['server'],
  ['cli', 'console'],
];
/** The same for the domains, most of which share a chapter with others. */
const DOMAINS_IN_ORDER = [
  ['sources/registry', 'sources/knowledge'],
  ['sources/data', 'sources/sync'],
  ['answer/ask'],
  ['learn/training', 'learn/feedback', 'operate/access', 'operate/monitoring'],
  ['prove'],
  ['ship/delivery', 'ship/fleet'],
  ['ship/improvement', 'ship/tuning'],
];
/** And for the stages of a question, last to first: the files beside them are what all of them speak of. */
const STAGES = [['languages', 'form'], ['read'], ['route'], ['prompt'], ['judge'], ['word'], ['record'], ['api']].map(
  (row) => row.map((name) => `answer/ask/${name}`),
);
const DOMAINS = DOMAINS_IN_ORDER.flat();
const opened = readdirSync('src', { recursive: true })
  .filter((path) => /(^|[\\/])open\.ts$/.test(path) && !/^(server|kit)/.test(path))
  .map((path) => path.replaceAll('\\', '/').replace(/\/open\.ts$/, ''));
const unplaced = [
  ...readdirSync('src').filter((name) => !name.includes('.') && !CHAPTERS.flat().includes(name)),
  ...opened.filter((path) => !DOMAINS.includes(path)),
];
if (unplaced.length > 0) throw new Error(`Where in CHAPTERS or DOMAINS_IN_ORDER does ${unplaced.join(', ')} stand?`);
const folders = (names) => `^src/(${names.join('|')})/`;

/** What stands beside or behind is out of reach. */
const inOrder = (order, comment) =>
  order
    .flatMap((row, level) =>
      row.map((name) => ({
        name: `${name.replaceAll('/', '-')}-looks-up-only`,
        comment,
        severity: 'error',
        from: { path: folders([name]) },
        to: {
          path: folders([...row.filter((other) => other !== name), ...order.slice(level + 1).flat()]),
          pathNot: folders([name]),
        },
      })),
    )
    .filter(({ to }) => to.path !== folders([]));

module.exports = {
  forbidden: [
    ...inOrder(
      CHAPTERS,
      'A chapter can be understood, tested and replaced without those behind it. What would point there travels as data.',
    ),
    ...inOrder(DOMAINS_IN_ORDER, 'The same for the domains of a chapter.'),
    ...inOrder(
      STAGES,
      'What is recorded knows how it was worded, judged, prompted, routed and read; never the other way round.',
    ),
    {
      name: 'no-cycles',
      comment: 'Modules that need each other are one module; under ESM a cycle of decorated classes crashes at load.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'kernel-imports-nothing-of-ours',
      comment: 'Both processes and every chapter stand on the kernel: whatever it imported, all would.',
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
      to: { path: '^src/', pathNot: '^src/(platform|kernel|worker-protocol|task-process)/' },
    },
    {
      name: 'domain-kit-knows-no-domain',
      comment: 'Every domain states by it what it has; it knows only what all of them stand on.',
      severity: 'error',
      from: { path: '^src/kit/domain/' },
      to: { path: '^src/', pathNot: '^src/(kit|platform|kernel)/' },
    },
    {
      name: 'graphql-kit-is-pure',
      comment: 'Every resolver stands on the kit; it takes rows and events by their shape, not from the platform.',
      severity: 'error',
      from: { path: '^src/kit/graphql/' },
      to: { path: '^src/', pathNot: '^src/(kit/graphql|kernel)/' },
    },
    {
      name: 'prompting-is-pure',
      comment:
        'The same prompts are rendered for training and for serving: a pure function of its arguments, or they drift apart.',
      severity: 'error',
      from: { path: '^src/sources/prompting/' },
      to: { path: '^src/', pathNot: '^src/(sources/prompting|kernel|worker-protocol)/' },
    },
    {
      name: 'erasure-knows-no-domain',
      comment:
        'What holds copies of what people wrote registers with it; a list of holders in there would miss the next one.',
      severity: 'error',
      from: { path: '^src/kit/erasure/' },
      to: { path: '^src/', pathNot: '^src/(kit/erasure|kernel|platform|kit)/' },
    },
    ...DOMAINS.map((name) => ({
      name: `${name.replace('/', '-')}-by-its-index`,
      comment: `What src/${name}/index.ts does not export is its own business and may change without asking.`,
      severity: 'error',
      from: { path: '^(src|bench)/', pathNot: `^src/${name}/` },
      to: { path: `^src/${name}/`, pathNot: `^src/${name}/index\\.ts$` },
    })),
    {
      name: 'datasets-know-not-who-answers',
      comment:
        'Datasets and features stand without what answering makes of them; that registers with them what it must let go of.',
      severity: 'error',
      from: { path: '^src/sources/data/(datasets|features)/' },
      to: { path: '^src/sources/data/answering/' },
    },
    {
      name: 'tasks-know-files-only',
      comment:
        'Importing, storing, checking and training read a task’s definition; what it looked at of them would go round in a circle.',
      severity: 'error',
      from: { path: '^src/sources/data/datasets/tasks/' },
      to: { path: '^src/sources/data/', pathNot: '^src/sources/data/datasets/(tasks|files)/' },
    },
    {
      name: 'config-is-read-once',
      comment:
        'The environment is read and checked at the start of a program; everything else gets what was read, or it can’t be tested side by side. Its type may be named.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(server/main\\.ts|work\\.ts|cli/(demo/|installation\\.ts))' },
      to: { path: '^src/platform/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'database-by-its-index',
      comment: 'The generated client moves with Prisma’s versions: one file re-exports what others may use.',
      severity: 'error',
      from: { path: '^(src|test|bench)/', pathNot: '^src/platform/database/' },
      to: { path: '^src/platform/database/generated/' },
    },
    {
      name: 'client-stands-alone',
      comment: 'Operations and client are what others build on; they must not pull in the gateway.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^(src|gpu-worker|test|bench)/', pathNot: '^src/client/' },
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
      from: { path: '^(src|gpu-worker)/', pathNot: '^src/server/graphql/playground/app/' },
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
    exclude: { path: ['^dist/', '^src/server/graphql/playground/app/', '^src/console/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
