/** Signing in again in a window of its own, so that the page stays as its owner left it. */
import { leaveToSignIn } from './code-flow';
import { providerOf } from './provider';
import { signInAgain } from './session';
import { type Kept } from './tokens';

/** For a moment in the page's storage, of which a window that it opens gets a copy: no link can put it there. */
const KEY = 'graft:own-window';
/** How long the window waits for the page to take what it brings, in ms. */
const TAKEN_MS = 2_000;

const channelOf = (waiting: string) => new BroadcastChannel(`graft:own-window:${waiting}`);
let open: BroadcastChannel | null = null;

/** To be called by a click alone, else browsers open no window. @throws Error where this one doesn’t */
export function openOwnWindow(): void {
  const waiting = crypto.randomUUID();
  sessionStorage.setItem(KEY, waiting);
  const opened = window.open('/sign-in', '_blank', 'popup,width=520,height=720');
  sessionStorage.removeItem(KEY);
  if (!opened) throw new Error('Your browser opened no window to sign in: allow it for this page, and try again.');
  open?.close();
  const channel = (open = channelOf(waiting));
  channel.onmessage = ({ data }: MessageEvent<Kept>) => {
    channel.postMessage('taken');
    channel.close();
    signInAgain(data);
  };
}

/** Whether this window was opened so, and hasn’t left for the provider yet. */
export const isOwnWindow = (): boolean => sessionStorage.getItem(KEY) !== null;

/** Leaves for the provider. @throws Error where there is no provider that could be asked */
export async function leaveInOwnWindow(): Promise<never> {
  const waiting = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  const provider = await providerOf();
  if (provider === null) throw new Error('This gateway has no provider.');
  await leaveToSignIn(provider, waiting);
  // The page goes; nothing more is to be shown in it.
  return new Promise(() => undefined);
}

/** Gives the page that waits what the provider gave. @returns whether it took it */
export function giveToPage(waiting: string, credentials: Kept): Promise<boolean> {
  const channel = channelOf(waiting);
  return new Promise((resolve) => {
    const finish = (isAccepted: boolean) => (channel.close(), clearTimeout(timer), resolve(isAccepted));
    const timer = setTimeout(() => finish(false), TAKEN_MS);
    channel.onmessage = () => finish(true);
    channel.postMessage(credentials);
  });
}
