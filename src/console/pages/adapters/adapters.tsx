import { Route, Switch, useParams } from 'wouter';
import { AdapterList } from './adapter-list';
import { AdapterView } from './adapter-view';
import { EvaluationView } from './evaluation-view';

function OpenedEvaluation() {
  const { name, id } = useParams<{ name: string; id: string }>();
  return <EvaluationView key={id} adapter={decodeURIComponent(name)} id={decodeURIComponent(id)} />;
}

function OpenedAdapter() {
  const { name } = useParams<{ name: string }>();
  return <AdapterView key={name} name={decodeURIComponent(name)} />;
}

export default function AdaptersPage() {
  return (
    <Switch>
      <Route path="/adapters/:name/evaluations/:id" component={OpenedEvaluation} />
      <Route path="/adapters/:name" component={OpenedAdapter} />
      <Route component={AdapterList} />
    </Switch>
  );
}
