import type { ComponentType } from 'react';
import { Route, Switch } from 'wouter';

type Named = Record<string, string>;

/** A page with others below it: each is shown anew for what its path names, which it gets as properties. */
export function pageOf(
  Overview: ComponentType,
  subpages: Readonly<Record<string, (named: never) => React.ReactNode>>,
): ComponentType {
  return function Page() {
    return (
      <Switch>
        {Object.entries(subpages).map(([path, component]) => {
          const View = component as ComponentType<Named>;
          return (
            <Route key={path} path={path}>
              {(params: Named) => {
                const decodedParams = Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]);
                return <View key={JSON.stringify(decodedParams)} {...(Object.fromEntries(decodedParams) as Named)} />;
              }}
            </Route>
          );
        })}
        <Route component={Overview} />
      </Switch>
    );
  };
}
