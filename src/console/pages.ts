import {
  IconActivity,
  IconArrowsSplit,
  IconBooks,
  IconBox,
  IconChartLine,
  IconChecks,
  IconCoins,
  IconFlask,
  IconFolders,
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

const page = (path: string, label: string, icon: Icon, load: Parameters<typeof lazyPage>[0]): ConsolePage => ({
  path,
  label,
  icon,
  Page: lazyPage(load),
});

/** Every page of the console by what one comes to do, in the order of the navigation. Its code is loaded when it is opened. */
export const SECTIONS: readonly { label: string; pages: readonly ConsolePage[] }[] = [
  {
    label: 'Answer',
    pages: [
      page('/ask', 'Ask', IconMessageQuestion, () => import('./pages/ask/ask')),
      page('/knowledge', 'Knowledge', IconBooks, () => import('./pages/knowledge/knowledge')),
      page('/sources', 'Sources', IconFolders, () => import('./pages/sources/sources')),
      page('/compare', 'Compare', IconScale, () => import('./pages/compare/compare')),
      page('/router', 'Router', IconRoute, () => import('./pages/router/router')),
      page('/what-if', 'What if', IconArrowsSplit, () => import('./pages/what-if/what-if')),
    ],
  },
  {
    label: 'Train',
    pages: [
      page('/data', 'Data', IconTable, () => import('./pages/data/data')),
      page('/training', 'Training', IconSchool, () => import('./pages/training/training')),
      page('/adapters', 'Adapters', IconPuzzle, () => import('./pages/adapters/adapters')),
    ],
  },
  {
    label: 'Ship and learn',
    pages: [
      page('/delivery', 'Delivery', IconRocket, () => import('./pages/delivery/delivery')),
      page('/experiments', 'Experiments', IconFlask, () => import('./pages/experiments/experiments')),
      page('/review', 'Review', IconChecks, () => import('./pages/review/review')),
      page('/monitoring', 'Monitoring', IconChartLine, () => import('./pages/monitoring/monitoring')),
      page('/improvements', 'Improvements', IconRefresh, () => import('./pages/improvements/improvements')),
    ],
  },
  {
    label: 'Operate',
    pages: [
      page('/models', 'Models', IconBox, () => import('./pages/models/models')),
      page('/runs', 'Runs', IconActivity, () => import('./pages/runs/runs')),
      page('/access', 'Access', IconKey, () => import('./pages/access/access')),
      page('/budgets', 'Budgets', IconCoins, () => import('./pages/budgets/budgets')),
      page('/audit', 'Audit', IconHistory, () => import('./pages/audit/audit')),
      page('/system', 'System', IconServer, () => import('./pages/system/system')),
    ],
  },
];

export const PAGES: readonly ConsolePage[] = SECTIONS.flatMap(({ pages }) => pages);
