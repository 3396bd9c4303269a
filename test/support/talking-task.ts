/** A program that says what it is told to, for the test of task processes. */
import { GraftError } from '../../src/kernel/errors.js';
import { workOn } from '../../src/task-process/index.js';

export interface TalkingTask {
  input: { do: 'count' | 'ask' | 'refuse' | 'break' | 'die' | 'hang' | 'nap' | 'wait' | 'grow' };
  output: { pid: number; answer?: number; environment: string[] };
  note: number;
  question: string;
  answer: number;
}

workOn<TalkingTask>(
  async (input, parent) => {
    const output = { pid: process.pid, environment: Object.keys(process.env) };
    switch (input.do) {
      case 'count':
        for (const note of [1, 2, 3]) await parent.tell(note);
        return output;
      case 'ask':
        return { ...output, answer: await parent.ask('six by seven') };
      case 'refuse':
        throw new GraftError('DATA_FILE_INVALID', 'It is not square.', { hint: 'Square it.', field: 'input.file' });
      case 'break':
        throw new Error('out of ink');
      case 'die':
        await parent.tell(0);
        process.exit(3);
      case 'hang':
        for (;;);
      case 'nap':
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        return output;
      case 'wait':
        for (;;) await new Promise((resolve) => setTimeout(resolve, 60_000));
      case 'grow':
        for (const held: Buffer[] = []; ; await new Promise(setImmediate)) held.push(Buffer.alloc(16 << 20, 1));
    }
  },
  { rssMb: 400 },
);
