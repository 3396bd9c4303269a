import { pageOf } from '../../parts/page-of';
import { CollectionList } from './collection-list';
import { CollectionView } from './collection-view';

export default pageOf(CollectionList, { '/knowledge/:name': CollectionView });
