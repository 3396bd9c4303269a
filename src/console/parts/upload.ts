import { GatewayError } from './gateway-error';
import { authorization } from './sign-in/session';

/** Uploads under way: closing the tab would lose them, so the browser asks first. */
let underWay = 0;

const askBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

function count(change: 1 | -1): void {
  underWay += change;
  if (underWay === 1 && change === 1) window.addEventListener('beforeunload', askBeforeLeaving);
  if (underWay === 0) window.removeEventListener('beforeunload', askBeforeLeaving);
}

/**
 * Sends a file to `POST /files` and returns its id. `fetch` can't tell how far an upload is, hence XMLHttpRequest.
 * @param onProgress gets the share that was sent, 0 to 1
 * @throws GatewayError also when `signal` aborted it (`CANCELLED`)
 */
export function upload(file: File, onProgress: (share: number) => void, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append('file', file);
    request.open('POST', '/files');
    request.setRequestHeader('graft-upload', '1');
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
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
    request.onload = () => {
      const { id, errors } = (request.response ?? {}) as {
        id?: string;
        errors?: { message: string; extensions?: Record<string, unknown> }[];
      };
      if (id !== undefined) resolve(id);
      else
        reject(
          GatewayError.from(errors?.[0] ?? { message: `The upload of ${file.name} failed (HTTP ${request.status}).` }),
        );
    };
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.onloadend = () => count(-1);
    count(1);
    request.send(form);
  });
}
