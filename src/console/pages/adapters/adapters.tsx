import { pageOf } from '../../parts/page-of';
import { AdapterList } from './adapter-list';
import { AdapterView } from './adapter-view';
import { EvaluationView } from './evaluation-view';

export default pageOf(AdapterList, {
  '/adapters/:adapter/evaluations/:id': EvaluationView,
  '/adapters/:name': AdapterView,
});
