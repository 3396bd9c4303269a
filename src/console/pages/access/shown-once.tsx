import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';

/** A key as it was made: nobody sees it again. */
export interface Made {
  name: string;
  token: string;
  /** Whether it took the place of the one that this tab is signed in by. */
  own: boolean;
}

export function ShownOnce({ made: { name, token, own }, onDone }: { made: Made; onDone: () => void }) {
  return (
    <Alert icon={<IconKey />} color="yellow" mb="md" role="status" title={`The key of ${name} is shown once`}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          Keep it now; Graft has only its digest. Send it as <code>Authorization: Bearer …</code>, or set{' '}
          <code>GRAFT_API_KEY</code> for the command line.{own && ' This tab is signed in by it from now on.'}
        </Text>
        <Code block style={{ maxWidth: '100%', overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} data-testid="token">
          {token}
        </Code>
        <Group gap="xs">
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button size="compact-sm" onClick={copy}>
                {copied ? 'Copied' : 'Copy it'}
              </Button>
            )}
          </CopyButton>
          <Button size="compact-sm" variant="default" onClick={onDone}>
            I have kept it
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
