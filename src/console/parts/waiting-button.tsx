import { Button, Loader, type ButtonProps } from '@mantine/core';
import type { MouseEvent, ReactNode } from 'react';

/**
 * A button that says what it waits for instead of going grey. While it waits a press does nothing, and it keeps the focus,
 * which a disabled button would lose.
 */
export function WaitingButton({
  waits,
  children,
  onClick,
  ...rest
}: Omit<ButtonProps, 'loading'> & {
  /** In words, `Creating…`; null or false while there is nothing to wait for. */
  waits?: string | null | false;
  type?: 'button' | 'submit';
  children: ReactNode;
  onClick?: () => unknown;
  'aria-label'?: string;
}) {
  const waiting = typeof waits === 'string';
  const press = (event: MouseEvent) => {
    if (waiting) event.preventDefault();
    else onClick?.();
  };
  return (
    <Button
      {...rest}
      {...(waiting && {
        'aria-disabled': true,
        'aria-label': waits,
        leftSection: <Loader size={14} color="currentColor" aria-hidden />,
      })}
      onClick={press}
    >
      {waiting ? waits : children}
    </Button>
  );
}
