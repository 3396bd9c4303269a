import { Route, Switch, useParams } from 'wouter';
import { PageHeader } from '../../parts/states';
import { ComparisonList } from './comparison-list';
import { ComparisonView } from './comparison-view';
import { StartComparison } from './start-comparison';

function Opened() {
  const { id } = useParams<{ id: string }>();
  return <ComparisonView key={id} id={decodeURIComponent(id)} />;
}

function Overview() {
  return (
    <>
      <PageHeader title="Compare">
        Retrieval, an adapter or both? Every strategy answers the same labelled rows, and what each is worth and costs
        is measured.
      </PageHeader>
      <StartComparison />
      <ComparisonList />
    </>
  );
}

export default function ComparePage() {
  return (
    <Switch>
      <Route path="/compare/:id" component={Opened} />
      <Route component={Overview} />
    </Switch>
  );
}
