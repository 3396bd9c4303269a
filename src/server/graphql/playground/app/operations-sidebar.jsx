import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useState } from 'react';
import { SeenIds } from './ids-sidebar.jsx';
import { flows, operations } from './operations.js';

/** Every word of the search has to occur in the name, the flow or the text of the operation. */
function matches({ flow, name, query }, search) {
  const text = `${flow} ${name} ${query}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Brings the operation's tab to the front, with what was typed into it, or opens one with the ready variables. */
function useOpen() {
  const { tabs, queryEditor, variableEditor } = useGraphiQL(({ tabs, queryEditor, variableEditor }) => ({
    tabs,
    queryEditor,
    variableEditor,
  }));
  const { addTab, changeTab } = useGraphiQLActions();
  return ({ name, query, variables }) => {
    const open = tabs.findIndex(({ title }) => title === name);
    if (open >= 0) return changeTab(open);
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
  };
}

function Sidebar() {
  const [search, setSearch] = useState('');
  const open = useOpen();
  const found = operations.filter((operation) => matches(operation, search));
  return (
    <section aria-label="Operations" className="graft-operations">
      <div className="graphiql-doc-explorer-title">Operations</div>
      <input
        type="search"
        aria-label="Search operations"
        placeholder="Search, e.g. ingest"
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <SeenIds />
      {found.length === 0 && <p>No operation has these words.</p>}
      {flows
        .filter((flow) => found.some((operation) => operation.flow === flow))
        .map((flow) => (
          <div key={flow}>
            <h3>{flow}</h3>
            <ul>
              {found
                .filter((operation) => operation.flow === flow)
                .map((operation) => (
                  <li key={operation.name}>
                    <button type="button" onClick={() => open(operation)}>
                      {operation.name}
                      <small>{operation.kind}</small>
                    </button>
                  </li>
                ))}
            </ul>
          </div>
        ))}
    </section>
  );
}

const Icon = () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <path d="M4 6h3M4 12h3M4 18h3M10 6h10M10 12h10M10 18h10" strokeLinecap="round" />
  </svg>
);

/** GraphiQL's plugin that lists the operations that ship, by flow. */
export const operationsPlugin = { title: 'Operations', icon: Icon, content: Sidebar };
