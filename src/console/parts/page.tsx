import {
  Alert,
  Anchor,
  Button,
  Center,
  Code,
  Group,
  Loader,
  Paper,
  SegmentedControl,
  Stack,
  Text,
  ThemeIcon,
  Title,
  type AnchorProps,
  type PaperProps,
  type TextProps,
} from '@mantine/core';
import { IconAlertTriangle, IconFolderOff } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';
import { Link } from 'wouter';
import { toGatewayError } from './gateway-error';

/** Title of a page, what it is for, its main actions, and the way back. */
export function PageHeader(props: {
  title: string;
  /** The page above it, and what that is called. */
  back?: readonly [href: string, name: string];
  children?: ReactNode;
  actions?: ReactNode;
}) {
  const { title, back, children, actions } = props;
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
export function EmptyState(props: {
  icon: ComponentType<{ size?: number }>;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  const { icon: Icon, title, children, action } = props;
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

/** Words beside what matters: small and dimmed. */
export const Note = (props: TextProps & { children: ReactNode; role?: string; 'data-testid'?: string }) => (
  <Text size="sm" c="dimmed" {...props} />
);

/** The name of a thing. */
export const Strong = ({ children }: { children: ReactNode }) => (
  <Text size="sm" fw={600}>
    {children}
  </Text>
);

/** A link to another place of the console. */
export const To = (props: AnchorProps & { href: string; children: ReactNode }) => (
  <Anchor component={Link} size="sm" {...props} />
);

/** A part of a page under its own title. */
export function Section({
  title,
  says,
  children,
  ...rest
}: PaperProps & { title: string; says?: ReactNode; children: ReactNode; 'data-testid'?: string }) {
  return (
    <Paper {...rest}>
      <Title order={2} size="h3" mb={says ? 0 : 'xs'}>
        {title}
      </Title>
      {says && <Note mb="xs">{says}</Note>}
      {children}
    </Paper>
  );
}

/** A thing of a list that is a link as a whole. */
export const Card = ({ href, children }: { href: string; children: ReactNode }) => (
  <Paper component={Link} href={href} c="inherit" td="none" className="card-link">
    {children}
  </Paper>
);

/** A thing of a list: its name, which leads to it, how it is, and what there is to say of it. */
export const Entry = ({
  href,
  title,
  badge,
  when,
  children,
}: {
  href: string;
  title: ReactNode;
  badge: ReactNode;
  when?: ReactNode;
  children?: ReactNode;
}) => (
  <Paper p="sm">
    <Group gap="xs">
      <To href={href} fw={600}>
        {title}
      </To>
      {badge}
      {when && <Note size="xs">{when}</Note>}
    </Group>
    {children && <Note>{children}</Note>}
  </Paper>
);

/** One number that a page leads with, and what it is. */
export function Figure({ label, value }: { label: string; value: string }) {
  return (
    <Paper>
      <Note size="xs">{label}</Note>
      <Text fw={600} size="lg">
        {value}
      </Text>
    </Paper>
  );
}

/** A sentence of the gateway, in which names of its API stand between backticks. */
export const Prose = ({ children }: { children: string }) =>
  // The pieces are always the same for the same sentence.
  children.split('`').map((piece, i) => (i % 2 === 1 ? <Code key={i}>{piece}</Code> : piece));

/** One of a few, all of which are to be seen; on a phone they scroll. */
export function Choice<Value extends string>(props: {
  label: string;
  mb?: 'sm' | 0;
  data: { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
}) {
  const { label, mb = 'sm', ...rest } = props;
  return <SegmentedControl aria-label={label} mb={mb} style={{ maxWidth: '100%', overflowX: 'auto' }} {...rest} />;
}
