import { followRun, type RunEvent } from '../../../src/cli/follow-run.js';

async function* events(...shares: number[]): AsyncGenerator<RunEvent> {
  for (const progress of shares)
    yield { status: progress < 1 ? 'RUNNING' : 'SUCCEEDED', progress, message: `step ${100 * progress}`, error: null };
}

describe('following a run where there is no terminal', () => {
  it('tells a tenth at a time how far it is, and how it ended', async () => {
    const written: string[] = [];
    const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    try {
      await followRun('run-1', events(0, 0.01, 0.12, 0.13, 0.5, 0.55, 1), (event) => event);
    } finally {
      write.mockRestore();
    }
    expect(written).toEqual(['12 % step 12\n', '50 % step 50\n', 'SUCCEEDED: step 100\n']);
  });

  it.each([[[]], [[0, 0.5]]])(
    'fails, with the run’s id, where no more is told of work that has not ended: %j',
    async (shares) => {
      const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      try {
        await expect(followRun('run-1', events(...shares), (event) => event)).rejects.toThrow(/run-1/);
      } finally {
        write.mockRestore();
      }
    },
  );
});
