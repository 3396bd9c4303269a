import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './playground.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { edition, tabs } from './tabs.js';

const url = new URL('/graphql', window.location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

const fetcher = createGraphiQLFetcher({
  url: url.href,
  // Opened at the first subscription, closed after the last.
  wsClient: createClient({ url: socketUrl.href, lazy: true }),
});

const EDITION_KEY = 'graft:edition';
const fresh = localStorage.getItem(EDITION_KEY) !== String(edition);
if (fresh) {
  localStorage.removeItem('graphiql:tabState');
  localStorage.removeItem('graphiql:query');
  localStorage.setItem(EDITION_KEY, String(edition));
}

createRoot(document.getElementById('playground')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={tabs}
    // GraphiQL takes the first tab's query from the tabs, but not its variables.
    initialVariables={fresh ? tabs[0]?.variables : undefined}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <span className="graft-logo">Graft</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
