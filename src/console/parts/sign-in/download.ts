import type { MouseEvent } from 'react';
import { authorization } from './session';

/** Fetches what a link leads to with who is signed in, as a link can't say that. Without a sign-in the link does it. */
export function downloadAs(event: MouseEvent<HTMLAnchorElement>): void {
  const headers = authorization();
  if (headers.authorization === undefined) return;
  event.preventDefault();
  const { href, download } = event.currentTarget;
  void fetch(href, { headers })
    .then((response) => response.blob())
    .then((blob) => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = download;
      link.click();
      URL.revokeObjectURL(link.href);
    });
}
