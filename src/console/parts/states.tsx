import { Alert, Button, Center, Group, Loader, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconAlertTriangle, IconFolderOff } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';
import { Link } from 'wouter';
import { toGatewayError } from './gateway-error';
import { Prose } from './prose';
import { To } from './words';

/** Title of a page, what it is for, its main actions, and the way back. */
export function PageHeader({
  title,
  back,
  children,
  actions,
}: {
  title: string;
  /** The page above it, and what that is called. */
  back?: readonly [href: string, name: string];
  children?: ReactNode;
  actions?: ReactNode;
}) {
  const header = (
    <Group justify="space-between" align="flex-start" mb="lg" gap="sm" className="page-header">
      <div>
        <Title order={1}>{title}</Title>
        {children && (
          <Text c="dimmed" size="sm" mt={4}>
            {children}
          </Text>
        )}
      </div>
      {actions && <Group gap="xs">{actions}</Group>}
    </Group>
  );
  if (!back) return header;
  return (
    <>
      <To href={back[0]}>← {back[1]}</To>
      {header}
    </>
  );
}

/** Nothing is there yet: why, and what to do next. */
export function EmptyState({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: ComponentType<{ size?: number }>;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <Stack align="center" py={48} px="md" gap="xs">
      <ThemeIcon size={48} radius="xl" variant="light" color="gray" aria-hidden>
        <Icon size={24} />
      </ThemeIcon>
      <Text fw={600} mt="xs">
        {title}
      </Text>
      <Text c="dimmed" size="sm" ta="center" maw={420}>
        {children}
      </Text>
      {action && <Group mt="sm">{action}</Group>}
    </Stack>
  );
}

/** What an address names isn’t there; the way to all that are. */
export const Gone = ({ title, href, all }: { title: string; href: string; all: string }) => (
  <EmptyState
    icon={IconFolderOff}
    title={title}
    action={
      <Button component={Link} href={href}>
        {all}
      </Button>
    }
  />
);

/** What went wrong, its code, and what to do; nothing where nothing did. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (error === null || error === undefined) return null;
  const { code, message, hint } = toGatewayError(error);
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={<Prose>{message}</Prose>} role="alert">
      <Stack gap="xs" align="flex-start">
        {hint && (
          <Text size="sm">
            <Prose>{hint}</Prose>
          </Text>
        )}
        <Group gap="sm">
          <Text size="xs" ff="monospace">
            {code}
          </Text>
          {onRetry && (
            <Button size="compact-sm" variant="default" onClick={onRetry}>
              Try again
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}

export const Loading = ({ label = 'Loading' }: { label?: string }) => (
  <Center py={48}>
    <Loader size="sm" role="status" aria-label={label} />
  </Center>
);
