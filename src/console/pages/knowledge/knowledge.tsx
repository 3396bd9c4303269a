import { Route, Switch, useParams } from 'wouter';
import { CollectionList } from './collection-list';
import { CollectionView } from './collection-view';

function Opened() {
  const { name } = useParams<{ name: string }>();
  return <CollectionView key={name} name={decodeURIComponent(name)} />;
}

export default function KnowledgePage() {
  return (
    <Switch>
      <Route path="/knowledge/:name" component={Opened} />
      <Route component={CollectionList} />
    </Switch>
  );
}
