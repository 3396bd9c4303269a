import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/platform/package-root.js';

const FILES = ['test/unit/kernel/duration.test.js', 'test/unit/kernel/softmax.test.js'];

describe('the processes that run tests', () => {
  it('run all files though one of them starts late', async () => {
    const late = `if (process.env.TINYPOOL_WORKER_ID === '2' && process.send) await new Promise((r) => setTimeout(r, 3_000));`;
    const { stderr } = await promisify(execFile)(
      process.execPath,
      [
        join(packageRoot(), 'node_modules/jest/bin/jest.js'),
        ...FILES,
        '--selectProjects',
        'unit',
        '--maxWorkers',
        '2',
        '--reporters',
        'default',
      ],
      {
        cwd: packageRoot(),
        env: { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(late)}` },
        timeout: 50_000,
      },
    );
    expect(stderr).toContain(`Test Suites: ${FILES.length} passed`);
  });
});
