import { Alert, Button, Group, Text } from '@mantine/core';
import { IconClockExclamation } from '@tabler/icons-react';
import { useState } from 'react';
import { errorText } from '../error-text';
import { openOwnWindow } from './own-window';
import { useSession } from './session';

/** Says that the sign-in will end and can’t be renewed, while there is time to sign in again. */
export function SignInEnds() {
  const { ending } = useSession();
  const [failed, setFailed] = useState<string | null>(null);
  if (ending === null) return null;
  const signInAgain = () => {
    setFailed(null);
    try {
      openOwnWindow();
    } catch (error) {
      setFailed(errorText(error));
    }
  };
  return (
    <Alert color="yellow" icon={<IconClockExclamation />} mb="md" role="status" title="Your sign-in ends soon">
      <Group justify="space-between">
        <Text size="sm">{failed ?? `${ending} Sign in again in a window of its own: this page stays as it is.`}</Text>
        <Button size="xs" variant="default" onClick={signInAgain}>
          Sign in again
        </Button>
      </Group>
    </Alert>
  );
}
