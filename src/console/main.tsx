import '@mantine/core/styles.css';
import './console.css';
import { MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { Provider } from 'urql';
import { client } from './client';
import { SignedIn } from './parts/sign-in/sign-in';
import { Shell } from './shell';
import { cssVariables, theme } from './theme';

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

createRoot(document.getElementById('console')!).render(
  <MantineProvider
    theme={theme}
    defaultColorScheme="auto"
    cssVariablesResolver={cssVariables}
    getStyleNonce={() => nonce}
  >
    <Provider value={client}>
      <SignedIn>
        <Shell />
      </SignedIn>
    </Provider>
  </MantineProvider>,
);
