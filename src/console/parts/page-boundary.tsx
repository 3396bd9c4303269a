import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { ErrorState } from './page';

/** A page that fails leaves the navigation standing. */
export class PageBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <>
        <ErrorState error={this.state.error} />
        <Button mt="md" variant="default" onClick={() => window.location.reload()}>
          Reload the page
        </Button>
      </>
    );
  }
}
