import { quantizerDied } from '../../gpu-worker/engines/quantization/in-child.js';

it.each([
  ['SIGKILL', 'died', 'WORKER_CRASHED'],
  ['status 134', 'out of memory', 'WORKER_CRASHED'],
  ['SIGSEGV', 'died', 'MODEL_FILE_INVALID'],
] as const)(
  'a quantizer that ended with %s (%s) says %s: a file is not to blame for want of memory',
  (how, reason, code) => {
    expect(quantizerDied(how, reason).code).toBe(code);
  },
);
