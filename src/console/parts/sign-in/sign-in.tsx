import { Alert, Button, Card, Center, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { Loading } from '../states';
import { cameBack, finishSignIn, leaveToSignIn, NotBegun, providerOf, type Provider } from './code-flow';
import { authorization, beginAs, signIn, signOut, useSession } from './session';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Asks who is there: a key, or the way to the provider. */
function SignIn({ problem }: { problem: string | null }) {
  const { token } = useSession();
  const [key, setKey] = useState('');
  const [provider, setProvider] = useState<Provider | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    providerOf().then(setProvider, () => undefined);
  }, []);
  const enter = (event: FormEvent): void => {
    event.preventDefault();
    if (key.trim() !== '') beginAs(key.trim());
  };
  const said = failed ?? problem ?? (token === null ? null : 'The gateway does not take this key or token any more.');
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder w={420} p="lg">
        <form onSubmit={enter}>
          <Stack>
            <Title order={1} size="h3">
              Sign in to Graft
            </Title>
            {said !== null && (
              <Alert color="red" role="alert" title="You are not signed in">
                {said}
              </Alert>
            )}
            {provider && (
              <Button onClick={() => void leaveToSignIn(provider).catch((error: unknown) => setFailed(textOf(error)))}>
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
            <Text size="sm" c="dimmed">
              An administrator makes keys. It stays in this tab, and is gone when the tab is closed.
            </Text>
          </Stack>
        </form>
      </Card>
    </Center>
  );
}

/** Shows the console once the gateway doesn’t ask who is there, or takes who was said. */
export function SignedIn({ children }: { children: ReactNode }) {
  const { refused } = useSession();
  const [returning, setReturning] = useState(cameBack);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!returning) return;
    finishSignIn()
      .then(({ token, back }) => {
        window.history.replaceState(null, '', back);
        signIn(token);
      })
      .catch((error: unknown) => {
        // Any link may lead here: what ends no sign-in of this tab takes nobody’s away.
        const begun = !(error instanceof NotBegun);
        if (begun || authorization().authorization === undefined) setProblem(textOf(error));
        if (begun) signOut();
      })
      .finally(() => setReturning(false));
  }, [returning]);
  if (returning) return <Loading />;
  return refused ? <SignIn problem={problem} /> : children;
}
