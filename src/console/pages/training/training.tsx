import { pageOf } from '../../parts/page-of';
import { TrainingList } from './training-list';
import { TrainingView } from './training-view';

export default pageOf(TrainingList, { '/training/:id': TrainingView });
