/** `itWhen(found, 'no Chromium on this machine')('does …', …)`: a test that can't run says why in its own name, which the reporter prints. */
export const itWhen = (
  possible: boolean,
  reason: string,
): ((name: string, run: () => Promise<void>, timeoutMs?: number) => void) =>
  possible
    ? (name, run, timeoutMs) => it(name, run, timeoutMs)
    : (name, run) => it.skip(`${name} [skipped: ${reason}]`, run);
