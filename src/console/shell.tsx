import {
  ActionIcon,
  Alert,
  Anchor,
  AppShell,
  Burger,
  Group,
  NavLink,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconLogout, IconMoon, IconPlugConnectedX, IconSun, IconTerminal2 } from '@tabler/icons-react';
import { Suspense, useEffect } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { PAGES, SECTIONS, type ConsolePage } from './pages';
import { useConnectionLost } from './parts/connection';
import { Loading, PageHeader } from './parts/page';
import { PageBoundary } from './parts/page-boundary';
import { useSession } from './parts/sign-in/session';
import { SignInEnds } from './parts/sign-in/sign-in-ends';
import { leave } from './parts/sign-in/sign-out';

const ICON_BUTTON = { variant: 'subtle', color: 'gray', size: 'lg' } as const;

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const next = scheme === 'dark' ? 'light' : 'dark';
  const label = `Switch to ${next}`;
  return (
    <Tooltip label={label}>
      <ActionIcon {...ICON_BUTTON} aria-label={label} onClick={() => setColorScheme(next)}>
        {scheme === 'dark' ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** Nothing where nobody signed in: the gateway takes whoever sits at its machine. */
function SignOut() {
  if (useSession().token === null) return null;
  return (
    <Tooltip label="Sign out">
      <ActionIcon {...ICON_BUTTON} aria-label="Sign out" onClick={leave}>
        <IconLogout size={18} />
      </ActionIcon>
    </Tooltip>
  );
}

/** Says that the gateway is away as long as it is; streams go on by themselves when it is back. */
function ConnectionBanner() {
  if (!useConnectionLost()) return null;
  return (
    <Alert color="yellow" icon={<IconPlugConnectedX />} mb="md" role="status" title="The gateway does not answer">
      What was under way goes on where it stopped as soon as it is back.
    </Alert>
  );
}

function Header({ opened, toggle }: { opened: boolean; toggle: () => void }) {
  return (
    <Group h="100%" justify="space-between" wrap="nowrap">
      <Group gap="sm" wrap="nowrap">
        <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
        <Anchor component={Link} href="/" underline="never" c="inherit">
          <Group gap={8} wrap="nowrap">
            <img src="/console/icon.svg" alt="" width={22} height={22} />
            <Text fw={700} size="lg" component="span">
              Graft
            </Text>
          </Group>
        </Anchor>
      </Group>
      <Group gap={4} wrap="nowrap">
        <Tooltip label="GraphQL Playground">
          <ActionIcon component="a" href="/playground/" {...ICON_BUTTON} aria-label="GraphQL Playground">
            <IconTerminal2 size={18} />
          </ActionIcon>
        </Tooltip>
        <SchemeToggle />
        <SignOut />
      </Group>
    </Group>
  );
}

function Navigation({ current, onLeave }: { current: ConsolePage | undefined; onLeave: () => void }) {
  return SECTIONS.map((section) => (
    <div key={section.label} role="group" aria-label={section.label}>
      <Text c="dimmed" size="xs" fw={600} px="sm" pt="xs" aria-hidden>
        {section.label}
      </Text>
      {section.pages.map(({ path, label, icon: Icon }) => (
        <NavLink
          key={path}
          component={Link}
          href={path}
          label={label}
          leftSection={<Icon size={18} />}
          active={current?.path === path}
          aria-current={current?.path === path ? 'page' : undefined}
          onClick={onLeave}
          py={6}
        />
      ))}
    </div>
  ));
}

export function Shell() {
  const [location] = useLocation();
  const [opened, { toggle, close }] = useDisclosure();
  const current = PAGES.find(({ path }) => location === path || location.startsWith(`${path}/`));
  useEffect(() => {
    document.title = current ? `${current.label} · Graft` : 'Graft';
  }, [current]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
    >
      <a className="skip-link" href="#page">
        Skip to the page
      </a>
      <AppShell.Header px="md">
        <Header opened={opened} toggle={toggle} />
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" style={{ overflowY: 'auto' }}>
        <Navigation current={current} onLeave={close} />
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1}>
        <div className="page">
          <ConnectionBanner />
          <SignInEnds />
          <PageBoundary key={current?.path}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/">
                  <Redirect to={PAGES[0]!.path} replace />
                </Route>
                {PAGES.map(({ path, Page }) => (
                  <Route key={path} path={`${path}/*?`} component={Page} />
                ))}
                <Route>
                  <PageHeader title="There is no such page">Choose one from the navigation.</PageHeader>
                </Route>
              </Switch>
            </Suspense>
          </PageBoundary>
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
