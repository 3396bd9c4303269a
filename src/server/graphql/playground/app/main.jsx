import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './playground.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { tellingListed } from './listed-only.js';
import { operations } from './operations.js';
import { operationsPlugin } from './operations-sidebar.jsx';
import { remembering } from './seen-ids.js';

const url = new URL('/graphql', window.location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

const fetcher = tellingListed(
  remembering(
    createGraphiQLFetcher({
      url: url.href,
      // Opened at the first subscription, closed after the last.
      wsClient: createClient({ url: socketUrl.href, lazy: true }),
    }),
  ),
);

// Both stay the same objects: GraphiQL starts over with a new list.
const plugins = [operationsPlugin, HISTORY_PLUGIN];
const [first] = operations;

createRoot(document.getElementById('playground')).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    visiblePlugin={operationsPlugin}
    defaultTabs={[first]}
    // GraphiQL takes the first tab's query from the tabs, but not its variables.
    initialVariables={localStorage.getItem('graphiql:tabState') === null ? first.variables : undefined}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <span className="graft-logo">Graft</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
