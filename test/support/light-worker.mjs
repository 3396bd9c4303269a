/* Keeps the settings that come before a test process asks for them. Loaded before all else in it: see `light-runner.mjs`. */
const ASK = 'jest-light-runner-get-worker-data';
const ANSWER = 'jest-light-runner-worker-data';

// What tests spawn is none of these.
process.env.NODE_OPTIONS = (process.env.NODE_OPTIONS ?? '').replaceAll(`--import=${import.meta.url}`, '').trim();
if (process.env.NODE_OPTIONS === '') delete process.env.NODE_OPTIONS;

if (process.env.TINYPOOL_WORKER_ID !== undefined && process.send) {
  const [emit, send] = [process.emit.bind(process), process.send.bind(process)];
  let early;
  process.emit = (event, message, ...rest) => {
    if (event === 'message' && message?.type === ANSWER) early = message;
    return emit(event, message, ...rest);
  };
  process.send = (message, ...rest) => {
    if (message !== ASK || early === undefined) return send(message, ...rest);
    process.nextTick(emit, 'message', early);
    return true;
  };
}
