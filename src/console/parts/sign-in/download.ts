import { useState, type MouseEvent } from 'react';
import { GatewayError } from '../gateway-error';
import { authorization, fetchSignedIn } from './session';

interface Refusal {
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

const unreachable = (): never => {
  throw new GatewayError('NO_CONNECTION', 'The download broke off.', 'Try again when the gateway answers.');
};

/** @throws GatewayError: what the gateway refuses is no file */
async function fileAt(href: string): Promise<Blob> {
  const response = await fetchSignedIn(href).catch(unreachable);
  if (response.ok) return response.blob().catch(unreachable);
  const { errors } = (await response.json().catch(() => ({}))) as Refusal;
  throw GatewayError.from(errors?.[0] ?? { message: `The download failed (HTTP ${response.status}).` });
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Fetches what a link leads to with who is signed in, as a link can't say that. Without a sign-in the link does it. */
export function useDownload(): { download: (event: MouseEvent<HTMLAnchorElement>) => void; error: unknown } {
  const [error, setError] = useState<unknown>(null);
  const download = (event: MouseEvent<HTMLAnchorElement>): void => {
    if (authorization().authorization === undefined) return;
    event.preventDefault();
    const { href, download: name } = event.currentTarget;
    setError(null);
    fileAt(href).then((blob) => save(blob, name), setError);
  };
  return { download, error };
}
