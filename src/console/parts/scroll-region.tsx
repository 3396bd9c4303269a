import type { ReactNode } from 'react';

/** What is wider or longer than its place scrolls there, by keyboard too. */
export function ScrollRegion({ minWidth, mah, children }: { minWidth: number; mah?: number; children: ReactNode }) {
  return (
    <div className="scroll-region" tabIndex={0} role="group" style={{ maxHeight: mah }}>
      <div style={{ minWidth }}>{children}</div>
    </div>
  );
}
