import {
  IconActivity,
  IconBooks,
  IconBox,
  IconChartLine,
  IconChecks,
  IconCoins,
  IconFlask,
  IconHistory,
  IconKey,
  IconMessageQuestion,
  IconPuzzle,
  IconRefresh,
  IconRocket,
  IconRoute,
  IconScale,
  IconSchool,
  IconServer,
  IconTable,
  type Icon,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import { lazyPage } from './parts/lazy-page';

export interface ConsolePage {
  /** Where it is; the first page is also where `/` leads. */
  path: string;
  label: string;
  icon: Icon;
  Page: ComponentType;
}

/** Every page of the console by what one comes to do, in the order of the navigation. Its code is loaded when it is opened. */
export const SECTIONS: readonly { label: string; pages: readonly ConsolePage[] }[] = [
  {
    label: 'Answer',
    pages: [
      { path: '/ask', label: 'Ask', icon: IconMessageQuestion, Page: lazyPage(() => import('./pages/ask/ask')) },
      {
        path: '/knowledge',
        label: 'Knowledge',
        icon: IconBooks,
        Page: lazyPage(() => import('./pages/knowledge/knowledge')),
      },
      { path: '/compare', label: 'Compare', icon: IconScale, Page: lazyPage(() => import('./pages/compare/compare')) },
      { path: '/router', label: 'Router', icon: IconRoute, Page: lazyPage(() => import('./pages/router/router')) },
    ],
  },
  {
    label: 'Train',
    pages: [
      { path: '/data', label: 'Data', icon: IconTable, Page: lazyPage(() => import('./pages/data/data')) },
      {
        path: '/training',
        label: 'Training',
        icon: IconSchool,
        Page: lazyPage(() => import('./pages/training/training')),
      },
      {
        path: '/adapters',
        label: 'Adapters',
        icon: IconPuzzle,
        Page: lazyPage(() => import('./pages/adapters/adapters')),
      },
    ],
  },
  {
    label: 'Ship and learn',
    pages: [
      {
        path: '/delivery',
        label: 'Delivery',
        icon: IconRocket,
        Page: lazyPage(() => import('./pages/delivery/delivery')),
      },
      {
        path: '/experiments',
        label: 'Experiments',
        icon: IconFlask,
        Page: lazyPage(() => import('./pages/experiments/experiments')),
      },
      { path: '/review', label: 'Review', icon: IconChecks, Page: lazyPage(() => import('./pages/review/review')) },
      {
        path: '/monitoring',
        label: 'Monitoring',
        icon: IconChartLine,
        Page: lazyPage(() => import('./pages/monitoring/monitoring')),
      },
      {
        path: '/improvements',
        label: 'Improvements',
        icon: IconRefresh,
        Page: lazyPage(() => import('./pages/improvements/improvements')),
      },
    ],
  },
  {
    label: 'Operate',
    pages: [
      { path: '/models', label: 'Models', icon: IconBox, Page: lazyPage(() => import('./pages/models/models')) },
      { path: '/runs', label: 'Runs', icon: IconActivity, Page: lazyPage(() => import('./pages/runs/runs')) },
      { path: '/access', label: 'Access', icon: IconKey, Page: lazyPage(() => import('./pages/access/access')) },
      { path: '/budgets', label: 'Budgets', icon: IconCoins, Page: lazyPage(() => import('./pages/budgets/budgets')) },
      { path: '/audit', label: 'Audit', icon: IconHistory, Page: lazyPage(() => import('./pages/audit/audit')) },
      { path: '/system', label: 'System', icon: IconServer, Page: lazyPage(() => import('./pages/system/system')) },
    ],
  },
];

export const PAGES: readonly ConsolePage[] = SECTIONS.flatMap(({ pages }) => pages);
