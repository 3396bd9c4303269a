import { createTheme, type CSSVariablesResolver } from '@mantine/core';

/** Hues that badges, alerts and bars use; each has to reach 4.5:1 on its own tint. */
const HUES = ['teal', 'green', 'red', 'yellow', 'orange', 'blue', 'violet', 'gray'];

/** Hues whose ninth shade is still too light on their tint. */
const DARKEST: Record<string, string> = { yellow: '#7a4a00', orange: '#8a3200', green: '#1d6b2b', teal: '#066649' };

export const theme = createTheme({
  primaryColor: 'teal',
  // White on any lighter teal misses the 4.5:1 of WCAG AA.
  primaryShade: 9,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.1rem' }, h3: { fontSize: '1rem' } },
  },
  cursorType: 'pointer',
  components: {
    // Locking the page's scrolling writes a style element that the page's policy refuses.
    Modal: { defaultProps: { lockScroll: false, centered: true, closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { lockScroll: false, position: 'right', closeButtonProps: { 'aria-label': 'Close' } } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 600 } },
    Paper: { defaultProps: { withBorder: true, p: 'md' } },
    Tooltip: { defaultProps: { withArrow: true, events: { hover: true, focus: true, touch: true } } },
  },
});

/** Mantine's own greys and tints are below AA; these are not. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-placeholder': 'var(--mantine-color-gray-7)',
    '--mantine-color-anchor': 'var(--mantine-color-teal-9)',
    '--mantine-color-teal-filled-hover': DARKEST['teal']!,
    '--graft-canvas': '#f7f8f8',
    '--graft-mark': '#ffe8a3',
    '--graft-track': 'var(--mantine-color-gray-2)',
    ...Object.fromEntries(
      HUES.map((hue) => [`--mantine-color-${hue}-light-color`, DARKEST[hue] ?? `var(--mantine-color-${hue}-9)`]),
    ),
  },
  dark: {
    '--mantine-color-dimmed': 'var(--mantine-color-dark-1)',
    '--mantine-color-placeholder': 'var(--mantine-color-dark-1)',
    '--mantine-color-anchor': 'var(--mantine-color-teal-4)',
    '--mantine-color-teal-filled-hover': DARKEST['teal']!,
    '--graft-canvas': '#1a1b1c',
    '--graft-mark': '#5c4a0d',
    '--graft-track': 'var(--mantine-color-dark-5)',
    ...Object.fromEntries(
      HUES.flatMap((hue) => [
        [`--mantine-color-${hue}-light-color`, `var(--mantine-color-${hue}-2)`],
        // Mantine's own tints of yellow and orange are glaring slabs on dark.
        [`--mantine-color-${hue}-light`, `color-mix(in srgb, var(--mantine-color-${hue}-7) 24%, transparent)`],
      ]),
    ),
  },
});
