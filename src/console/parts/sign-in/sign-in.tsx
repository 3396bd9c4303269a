import { Alert, Button, Card, Center, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useEffect, useLayoutEffect, useState, type FormEvent, type ReactNode } from 'react';
import { errorText } from '../error-text';
import { Loading, Note } from '../page';
import { cameBack, finishSignIn, leaveToSignIn, NotBegun, NotFinished } from './code-flow';
import { keyFault } from './key-fault';
import { giveToPage, isOwnWindow, leaveInOwnWindow, openOwnWindow } from './own-window';
import { providerOf, type Provider } from './provider';
import { askAnew, authorization, beginAs, signIn, useSession } from './session';
import { takeLeft } from './sign-out';

/**
 * Asks who is there: a key, or the way to the provider.
 * @param waiting in a window of its own, the channel of the page that waits
 */
function SignIn({ problem, left, waiting }: Record<'problem' | 'left' | 'waiting', string | null>) {
  const { token, problem: sessionProblem, awaited } = useSession();
  const [key, setKey] = useState('');
  const [provider, setProvider] = useState<Provider | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    providerOf().then(setProvider, () => undefined);
  }, []);
  const enter = (event: FormEvent): void => {
    event.preventDefault();
    const entered = key.trim();
    if (entered === '') return;
    const fault = keyFault(entered);
    if (fault === null) beginAs(entered);
    else setFailed(fault);
  };
  const toProvider = async (to: Provider): Promise<void> => (awaited ? openOwnWindow() : leaveToSignIn(to, waiting));
  const alertText =
    failed ?? sessionProblem ?? problem ?? (token === null ? null : 'The gateway does not take this key any more.');
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder w={420} p="lg">
        <form onSubmit={enter}>
          <Stack>
            <Title order={1} size="h3">
              Sign in to Graft
            </Title>
            {alertText !== null && (
              <Alert color="red" role="alert" title="You are not signed in">
                {alertText}
              </Alert>
            )}
            {alertText === null && left !== null && <Alert role="status">{left}</Alert>}
            {awaited && <Text size="sm">Sign in again as who you were: your page is as you left it.</Text>}
            {provider && (
              <Button onClick={() => void toProvider(provider).catch((error: unknown) => setFailed(errorText(error)))}>
                Sign in with {new URL(provider.issuer).host}
              </Button>
            )}
            <PasswordInput
              label="Key"
              placeholder="graft_…"
              value={key}
              autoComplete="off"
              onChange={(event) => setKey(event.currentTarget.value)}
            />
            <Button type="submit" variant={provider ? 'default' : 'filled'}>
              Use the key
            </Button>
            <Note>An administrator makes keys. It stays in this tab, and is gone when the tab is closed.</Note>
          </Stack>
        </form>
      </Card>
    </Center>
  );
}

/**
 * In a window of its own whose page doesn’t wait any more the person goes on as in any other.
 * @returns whether there was nothing more to do than to close it
 */
async function finish(): Promise<boolean> {
  const { kept, back, waiting } = await finishSignIn();
  if (waiting !== null && (await giveToPage(waiting, kept))) return true;
  window.history.replaceState(null, '', back);
  signIn(kept);
  return false;
}

/** Shows the console once the gateway doesn’t ask who is there, or takes who was said. */
export function SignedIn({ children }: { children: ReactNode }) {
  const { refused, awaited } = useSession();
  const [way, setWay] = useState(() => (isOwnWindow() ? leaveInOwnWindow : cameBack() ? finish : null));
  const [signOutText] = useState(takeLeft);
  const [problem, setProblem] = useState<string | null>(null);
  const [isHandedOver, setGiven] = useState(false);
  const [waiting, setWaiting] = useState<string | null>(null);
  useEffect(() => {
    way?.()
      .then((canClose) => {
        setGiven(canClose);
        if (canClose) window.close();
      })
      .catch((error: unknown) => {
        // Any link may lead here: what ends no sign-in of this tab takes nobody’s away.
        const isOwnSignIn = !(error instanceof NotBegun);
        if (error instanceof NotFinished) setWaiting(error.waiting);
        if (isOwnSignIn || authorization().authorization === undefined) setProblem(errorText(error));
        if (isOwnSignIn) askAnew();
      })
      .finally(() => setWay(null));
  }, [way]);
  // What is shown outside of the page, as dialogs are, is hidden by the style sheet.
  useLayoutEffect(() => {
    document.body.toggleAttribute('data-signed-out', refused);
  }, [refused]);
  if (way !== null) return <Loading />;
  if (isHandedOver) return <Center mih="100vh">You are signed in again. Close this window.</Center>;
  return (
    <>
      {refused && <SignIn problem={problem} left={signOutText} waiting={waiting} />}
      {(!refused || awaited !== null) && <div hidden={refused}>{children}</div>}
    </>
  );
}
