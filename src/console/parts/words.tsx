import { Anchor, Group, Paper, Text, Title, type AnchorProps, type PaperProps, type TextProps } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

/** Words beside what matters: small and dimmed. */
export const Note = (props: TextProps & { children: ReactNode; role?: string; 'data-testid'?: string }) => (
  <Text size="sm" c="dimmed" {...props} />
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
