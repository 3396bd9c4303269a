import { Route, Switch, useParams } from 'wouter';
import { TrainingList } from './training-list';
import { TrainingView } from './training-view';

function Opened() {
  const { id } = useParams<{ id: string }>();
  return <TrainingView key={id} id={decodeURIComponent(id)} />;
}

export default function TrainingPage() {
  return (
    <Switch>
      <Route path="/training/:id" component={Opened} />
      <Route component={TrainingList} />
    </Switch>
  );
}
