import { Tabs } from '@mantine/core';
import { PageHeader } from '../../parts/page';
import { pageOf } from '../../parts/page-of';
import { DatasetList } from './dataset-list';
import { DatasetView } from './dataset-view';
import { FeatureViews } from './feature-views';

function Overview() {
  return (
    <>
      <PageHeader title="Data">
        Labelled examples in immutable versions, with what is wrong with them; features of entities.
      </PageHeader>
      <Tabs defaultValue="datasets" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="datasets">Datasets</Tabs.Tab>
          <Tabs.Tab value="features">Features</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="datasets">
          <DatasetList />
        </Tabs.Panel>
        <Tabs.Panel value="features">
          <FeatureViews />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

export default pageOf(Overview, { '/data/:name': DatasetView });
