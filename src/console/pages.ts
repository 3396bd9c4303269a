import { IconMessageQuestion, type Icon } from '@tabler/icons-react';
import { lazy, type ComponentType } from 'react';

export interface ConsolePage {
  /** Where it is; the first page is also where `/` leads. */
  path: string;
  label: string;
  icon: Icon;
  Page: ComponentType;
}

/** Every page of the console, in the order of the navigation. Its code is loaded when it is opened. */
export const PAGES: readonly ConsolePage[] = [
  { path: '/ask', label: 'Ask', icon: IconMessageQuestion, Page: lazy(() => import('./pages/ask/ask')) },
];
