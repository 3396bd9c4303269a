import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import { runTask, TaskProcess } from '../../../src/task-process/index.js';
import type { TalkingTask } from '../../support/talking-task.js';

const program = { file: join(packageRoot(), 'dist', 'test', 'support', 'talking-task.js') };
const talk = (what: TalkingTask['input']['do'], options: Parameters<typeof runTask<TalkingTask>>[2] = {}) =>
  runTask<TalkingTask>(program, { do: what }, options);

describe('a task in a process of its own', () => {
  it('tells how far it is, one note after the other and all before its end', async () => {
    const heard: number[] = [];
    const onNote = async (note: number) => {
      await new Promise((resolve) => setTimeout(resolve, 30 - 10 * note));
      heard.push(note);
    };
    await talk('count', { onNote });
    expect(heard).toEqual([1, 2, 3]);
  });

  it('ends when what it tells can’t be heard any more', async () => {
    const onNote = () => Promise.reject(new Error('taken over'));
    await expect(talk('count', { onNote })).rejects.toThrow('taken over');
  });

  it('asks its parent and goes on with the answer', async () => {
    const asked: string[] = [];
    const onQuestion = async (question: string) => asked.push(question) * 42;
    expect(await talk('ask', { onQuestion })).toMatchObject({ answer: 42 });
    expect(asked).toEqual(['six by seven']);
  });

  it('inherits nothing of its parent’s environment', async () => {
    process.env['GRAFT_TEST_SECRET'] = 'x';
    const { environment } = await talk('count');
    delete process.env['GRAFT_TEST_SECRET'];
    expect(environment).not.toContain('GRAFT_TEST_SECRET');
    expect(environment).not.toContain('PATH');
  });

  it('fails with the program’s own error, or with the stack of what was none', async () => {
    await expect(talk('refuse')).rejects.toMatchObject({
      code: 'DATA_FILE_INVALID',
      message: 'It is not square.',
      hint: 'Square it.',
      field: 'input.file',
    });
    await expect(talk('break')).rejects.toThrow(/out of ink[^]*talking-task/);
  });

  it.each([
    ['dies', 'die', {}, 'died', 'exit code 3'],
    ['hangs', 'hang', { timeoutMs: 500 }, 'too slow', '500 ms'],
    ['takes more memory than it may', 'grow', {}, 'out of memory', 'exit code 77'],
  ] as const)('says why it has no result when its process %s', async (_, what, options, reason, how) => {
    await expect(talk(what, options)).rejects.toMatchObject({ name: 'TaskProcessFault', reason, how });
  });

  it('is not too slow for want of a processor, and says so when it got none for long', async () => {
    expect(await talk('nap', { timeoutMs: 1_000 })).toMatchObject({ pid: expect.any(Number) });
    await expect(talk('wait', { timeoutMs: 1_000, lastsMs: 1_500 })).rejects.toMatchObject({ reason: 'starved' });
  });

  it('is killed when it is aborted, and not begun when it was aborted before', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 300);
    await expect(talk('hang', { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(talk('count', { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a process that is kept', () => {
  it('takes one task after the other, and another takes its place when it died', async () => {
    const kept = new TaskProcess<TalkingTask>(program, 60_000);
    const both = await Promise.all([kept.run({ do: 'count' }), kept.run({ do: 'count' })]);
    await expect(kept.run({ do: 'refuse' })).rejects.toMatchObject({ code: 'DATA_FILE_INVALID' });
    const after = await kept.run({ do: 'count' });
    expect(new Set([...both, after].map(({ pid }) => pid)).size).toBe(1);
    await expect(kept.run({ do: 'die' })).rejects.toMatchObject({ reason: 'died' });
    expect((await kept.run({ do: 'count' })).pid).not.toBe(after.pid);
    kept.close();
  });

  it('may die while it waits: the task that comes then is done by another', async () => {
    const kept = new TaskProcess<TalkingTask>(program, 60_000);
    const { pid } = await kept.run({ do: 'count' });
    process.kill(pid, 'SIGKILL');
    expect((await kept.run({ do: 'count' })).pid).not.toBe(pid);
    kept.close();
  });

  it('does a task that kills it no second time', async () => {
    const kept = new TaskProcess<TalkingTask>(program, 60_000);
    await kept.run({ do: 'count' });
    const notes: number[] = [];
    const onNote = async (note: number) => void notes.push(note);
    await expect(kept.run({ do: 'die' }, { onNote })).rejects.toMatchObject({ reason: 'died' });
    expect(notes).toEqual([0]);
    kept.close();
  });
});
