import { GatewayError } from './gateway-error';
import { accepted, authorization, current, refused } from './sign-in/session';

/** Uploads under way: closing the tab would lose them, so the browser asks first. */
let underWay = 0;

const askBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

function count(change: 1 | -1): void {
  underWay += change;
  if (underWay === 1 && change === 1) window.addEventListener('beforeunload', askBeforeLeaving);
  if (underWay === 0) window.removeEventListener('beforeunload', askBeforeLeaving);
}

/** What came back of one attempt; the gateway says who it is that it doesn’t let in before it reads the file. */
type Sent = { status: number; id?: string; errors?: { message: string; extensions?: Record<string, unknown> }[] };

function send(
  file: File,
  authHeader: { authorization?: string },
  onProgress: (share: number) => void,
  signal?: AbortSignal,
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append('file', file);
    request.open('POST', '/files');
    request.setRequestHeader('graft-upload', '1');
    for (const [name, value] of Object.entries(authHeader)) request.setRequestHeader(name, value);
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total);
    request.onerror = () =>
      reject(
        new GatewayError(
          'NO_CONNECTION',
          `The upload of ${file.name} broke off.`,
          'Try again when the gateway answers.',
        ),
      );
    request.onabort = () => reject(new GatewayError('CANCELLED', `The upload of ${file.name} was stopped.`));
    request.onload = () => resolve({ status: request.status, ...(request.response as Omit<Sent, 'status'> | null) });
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}

/**
 * Sends a file to `POST /files` and returns its id. `fetch` can't tell how far an upload is, hence XMLHttpRequest.
 * @param onProgress gets the share that was sent, 0 to 1
 * @throws GatewayError also when `signal` aborted it (`CANCELLED`)
 */
export async function upload(file: File, onProgress: (share: number) => void, signal?: AbortSignal): Promise<string> {
  count(1);
  try {
    for (;;) {
      await current(signal);
      if (signal?.aborted) throw new GatewayError('CANCELLED', `The upload of ${file.name} was stopped.`);
      const authHeader = authorization();
      const { status, id, errors } = await send(file, authHeader, onProgress, signal);
      if (id !== undefined) {
        accepted(authHeader);
        return id;
      }
      if (status === 401 && (await refused(authHeader, signal))) continue;
      throw GatewayError.from(errors?.[0] ?? { message: `The upload of ${file.name} failed (HTTP ${status}).` });
    }
  } finally {
    count(-1);
  }
}
