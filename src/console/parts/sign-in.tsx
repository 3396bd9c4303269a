import { Button, Center, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { hasKey, signIn } from './session';

/** Asks for a key, in place of every page. */
export function SignIn({ why }: { why: string }) {
  const [key, setKey] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() !== '') signIn(key);
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w={420} maw="100%">
        <form onSubmit={submit} aria-label="Sign in">
          <Stack>
            <Title order={1} size="h3">
              Sign in to Graft
            </Title>
            <Text size="sm" c="dimmed">
              Your administrator makes keys with <code>graft keys create</code>. The key stays in this tab until you
              close it.
            </Text>
            <PasswordInput
              label="Key"
              placeholder="graft_…"
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              autoComplete="off"
              spellCheck={false}
              error={hasKey() ? why : undefined}
              data-autofocus
            />
            <Button type="submit" disabled={key.trim() === ''}>
              Sign in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
