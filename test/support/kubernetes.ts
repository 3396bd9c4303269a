import { loadAll } from 'js-yaml';
import * as apps from 'kubernetes-models/apps/v1';
import * as batch from 'kubernetes-models/batch/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
}

type Model = new (data: never) => { validate(): void };

/** What the chart may hold, with the schema that Kubernetes publishes of it. */
const MODELS: Readonly<Record<string, Model>> = {
  'apps/v1 Deployment': apps.Deployment,
  'apps/v1 StatefulSet': apps.StatefulSet,
  'batch/v1 CronJob': batch.CronJob,
  'batch/v1 Job': batch.Job,
  'policy/v1 PodDisruptionBudget': policy.PodDisruptionBudget,
  'v1 Service': core.Service,
  'v1 PersistentVolumeClaim': core.PersistentVolumeClaim,
};

/** The manifests of a YAML text. @throws for a kind that isn't known, or one that breaks its schema */
export function validManifests(yaml: string): Manifest[] {
  return loadAll(yaml)
    .filter((each) => each !== null && each !== undefined)
    .map((each) => {
      const manifest = each as Manifest;
      const of = `${manifest.apiVersion} ${manifest.kind}`;
      const Model = MODELS[of];
      if (!Model) throw new Error(`${of} is not known`);
      new Model(manifest as never).validate();
      return manifest;
    });
}
