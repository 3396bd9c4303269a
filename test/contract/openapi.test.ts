import OpenAI, { toFile } from 'openai';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GraftClient } from '../../src/client/graft-client.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { serveTinyModel } from '../support/tiny-served.js';

const python = await Python.with(['schemathesis==4.32.5']);

/** What each answer is checked for. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  // What the document forbids is refused.
  'negative_data_rejection',
].join(',');

/** Ids that are drawn name nothing, so each other request names what there is. A body that is too large may be refused as such. */
type Ids = Record<'store' | 'file' | 'response' | 'upload' | 'batch', string>;
const configOf = ({ store, file, response, upload, batch }: Ids): string => `
[parameters]
"path.model" = ["tiny", "none"]
"path.store" = ["${store}", "none"]
"path.file" = ["${file}", "none"]
[[operations]]
include-path-regex = "^/files/"
parameters = { "path.id" = ["${file}", "none"] }
[[operations]]
include-path-regex = "^/responses/"
parameters = { "path.id" = ["${response}", "none"] }
[[operations]]
include-path-regex = "^/uploads/"
parameters = { "path.id" = ["${upload}", "none"] }
[[operations]]
include-path-regex = "^/batches/"
parameters = { "path.id" = ["${batch}", "none"] }
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "409", "413"]
`;

const SEED = 20_261_203;
const EXAMPLES = 12;

describe('what is served below /v1', () => {
  let folder: TemporaryFolder;
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let config: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', GRAFT_MAX_ANSWER_TOKENS: '8' }).started;
    const openai = new OpenAI({ baseURL: `${graft.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const graphql = new GraftClient(graft.url);
    await serveTinyModel(graphql, openai, folder.path);
    graphql.close();
    const text = await toFile(Buffer.from('The Orlo pump runs at 37 bar.'), 'orlo.txt');
    const file = await openai.files.create({ file: text, purpose: 'assistants' });
    const store = await openai.vectorStores.create({ name: 'pumps' });
    await openai.vectorStores.fileBatches.createAndPoll(store.id, { file_ids: [file.id] }, { pollIntervalMs: 100 });
    const response = await openai.responses.create({ model: 'tiny', input: 'Say hi.', max_output_tokens: 2 });
    const upload = { purpose: 'assistants', filename: 'a.txt', bytes: 64, mime_type: 'text/plain' } as const;
    const { id } = await openai.uploads.create(upload);
    const requests = await openai.files.create({
      file: await toFile(Buffer.from('none'), 'a.jsonl'),
      purpose: 'batch',
    });
    const batch = await openai.batches.create({
      input_file_id: requests.id,
      endpoint: '/v1/embeddings',
      completion_window: '24h',
    });
    config = join(folder.path, 'schemathesis.toml');
    const ids = { store: store.id, file: file.id, response: response.id, upload: id, batch: batch.id };
    await writeFile(config, configOf(ids));
  }, 120_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
    await folder.remove();
  });

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'is as /v1/openapi.json says, whatever is sent, and nothing fails for what a client did',
    async () => {
      const program = join((python as Python).programs, 'schemathesis');
      const words = ['--config-file', config, 'run', `${graft.url}/v1/openapi.json`, '--checks', CHECKS];
      const drawing = ['--seed', `${SEED}`, '--max-examples', `${EXAMPLES}`, '--phases', 'coverage,fuzzing'];
      const calm = ['--generation-database', 'none', '--suppress-health-check', 'all', '--warnings', 'off'];
      const sent = ['-H', 'Authorization: Bearer none', '--continue-on-failure'];
      const output = await promisify(execFile)(program, [...words, ...drawing, ...calm, ...sent], {
        cwd: folder.path,
        maxBuffer: 64 * 1024 * 1024,
      }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? 'It did not run.' }));
      expect(output.stdout).toMatch(/No issues found/);
      expect(graft.output()).not.toContain('unexpected error');
    },
    300_000,
  );
});
