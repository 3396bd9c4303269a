/** What ships beside the code: the chart and what it renders to, the image, the compose file. No container engine is needed to hold them to it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate, ValidationSeverity } from 'dockerfile-utils';
import { load } from 'js-yaml';
import { configTable } from '../../../src/platform/config.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { validManifests, type Manifest } from '../../support/kubernetes.js';
import { itWhen } from '../../support/skip.js';

const read = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), 'utf8');
const helm = process.env.GRAFT_TEST_HELM ?? 'helm';
const hasHelm = spawnSync(helm, ['version']).status === 0;
const chart = join(packageRoot(), 'deploy', 'helm', 'graft');
const variables = new Set([...configTable().matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!));

interface Container {
  name: string;
  env?: { name: string; value?: string }[];
  ports?: { name: string }[];
  securityContext?: Record<string, unknown>;
  [probe: string]: unknown;
}
interface Pod {
  metadata: { labels: Record<string, string> };
  spec: { containers: Container[]; securityContext?: Record<string, unknown>; terminationGracePeriodSeconds?: number };
}

const podOf = ({ spec }: Manifest): Pod => spec.template as Pod;
const withPods = (all: readonly Manifest[]) =>
  all.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));

describe('the chart', () => {
  const all = validManifests(read('deploy', 'kubernetes.yaml'));
  const one = (kind: string, name: string): Manifest =>
    all.find((each) => each.kind === kind && each.metadata.name === name)!;

  test('renders to manifests that Kubernetes’ own schemas accept', () => {
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'CronJob graft-training',
      'Deployment graft-gateway',
      'Job graft-first-key',
      'Job graft-migrate',
      'PersistentVolumeClaim graft-adapters',
      'PodDisruptionBudget graft-gateway',
      'PodDisruptionBudget graft-vllm',
      'Service graft',
      'Service graft-vllm',
      'StatefulSet graft-vllm',
    ]);
  });

  test('runs Graft as nobody in particular, on a file system that nobody writes to', () => {
    for (const manifest of withPods(all).filter(({ metadata }) => metadata.name !== 'graft-vllm')) {
      const { spec } = podOf(manifest);
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
      for (const { securityContext } of spec.containers)
        expect(securityContext).toMatchObject({
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  test('selects by labels that pods have, and each port by a name that a container has', () => {
    const pods = withPods(all).map(podOf);
    for (const { kind, spec } of all.filter((each) => each.kind === 'Service' || each.kind === 'PodDisruptionBudget')) {
      const selector = (
        kind === 'Service' ? spec.selector : (spec.selector as { matchLabels: object }).matchLabels
      ) as Record<string, string>;
      const chosen = pods.filter(({ metadata }) =>
        Object.entries(selector).every(([name, value]) => metadata.labels[name] === value),
      );
      expect(chosen).toHaveLength(1);
      for (const { targetPort } of (spec.ports ?? []) as { targetPort: string }[])
        expect(chosen[0]!.spec.containers[0]!.ports!.map(({ name }) => name)).toContain(targetPort);
    }
  });

  test('probes what serves, and gives a gateway longer to end than it drains', () => {
    for (const name of ['graft-gateway', 'graft-vllm']) {
      const [container] = podOf(one(name === 'graft-vllm' ? 'StatefulSet' : 'Deployment', name)).spec.containers;
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) expect(container).toHaveProperty(probe);
    }
    const { spec } = podOf(one('Deployment', 'graft-gateway'));
    const drain = spec.containers[0]!.env!.find(({ name }) => name === 'GRAFT_DRAIN_SECONDS')!.value;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(drain));
  });

  test('starts engines of the version that the contract is held against', () => {
    const image = /vllm\/vllm-openai:v[\d.]+/.exec(read('deploy', 'helm', 'graft', 'values.yaml'))![0];
    expect(podOf(one('StatefulSet', 'graft-vllm')).spec.containers[0]).toMatchObject({ image });
    // The script that installs the engine for the contract reads it there.
    expect(read('scripts', 'vllm', 'install.mjs')).not.toMatch(/vllm(-cpu)?==\d/);
  });

  test('sets no variable that Graft doesn’t read', () => {
    const names = podOf(one('Deployment', 'graft-gateway')).spec.containers[0]!.env!.map(({ name }) => name);
    expect(names.filter((name) => !variables.has(name))).toEqual([]);
    expect(names).toContain('GRAFT_ENGINES');
  });

  test('trains on a node of its own by the program that gateways are, and has gateways leave training to it', () => {
    const job = one('CronJob', 'graft-training').spec as { jobTemplate: { spec: { template: Pod } }; schedule: string };
    const { spec } = job.jobTemplate.spec.template;
    const [container] = spec.containers;
    expect(container).toMatchObject({ command: ['node', 'dist/src/work.js'], args: ['--idle', '60'] });
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(container!.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
    const runs = (env: Container['env']) => env!.find(({ name }) => name === 'GRAFT_RUNS')!.value;
    expect(runs(container!.env)).toBe('TRAINING,LEARNING_RATE_SEARCH');
    expect(runs(podOf(one('Deployment', 'graft-gateway')).spec.containers[0]!.env)).toBe(
      '-TRAINING,-LEARNING_RATE_SEARCH',
    );
    expect(container!.env!.filter(({ name }) => !variables.has(name))).toEqual([]);
  });

  test('gives engines and gateways adapters by the same path', () => {
    const mounts = ['Deployment graft-gateway', 'StatefulSet graft-vllm'].map((name) => {
      const [kind, called] = name.split(' ') as [string, string];
      return (podOf(one(kind, called)).spec.containers[0]!.volumeMounts as { name: string; mountPath: string }[]).find(
        (mount) => mount.name === 'adapters',
      )!.mountPath;
    });
    expect(new Set(mounts).size).toBe(1);
  });

  const render = (...settings: string[]): string =>
    execFileSync(helm, ['template', 'graft', chart, ...settings.flatMap((each) => ['--set', each])], {
      encoding: 'utf8',
      stdio: 'pipe',
    });

  itWhen(hasHelm, 'no helm on this machine; GRAFT_TEST_HELM names one')(
    'renders to what deploy/kubernetes.yaml holds',
    () => {
      expect(read('deploy', 'kubernetes.yaml').split('\n').slice(1).join('\n')).toBe(
        render('vllm.enabled=true', 'training.enabled=true'),
      );
      return Promise.resolve();
    },
  );

  itWhen(hasHelm, 'no helm on this machine; GRAFT_TEST_HELM names one')(
    'has no engines unless they are wanted, and refuses values that make no sense',
    () => {
      const plain = validManifests(render());
      expect(plain.filter(({ metadata }) => metadata.name.includes('vllm'))).toEqual([]);
      expect(JSON.stringify(plain)).not.toMatch(/GRAFT_ENGINES|GRAFT_RUNS|CronJob/);
      for (const bad of [
        'gateways.replicas=0',
        'vllm.maxLoraRank=7',
        'chroma.url=chroma',
        'gateway.replicas=2',
        'secretName=',
      ])
        expect(() => render(bad)).toThrow(/don't meet the specifications/);
      return Promise.resolve();
    },
  );
});

describe('the package', () => {
  test('says where it runs, so that npm refuses it elsewhere: there is the image', () => {
    expect(JSON.parse(read('package.json'))).toMatchObject({ os: ['linux'], cpu: ['x64', 'arm64'] });
  });
});

describe('the image', () => {
  const dockerfile = read('Dockerfile');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  test('is written without an error or a warning', () => {
    const found = validate(dockerfile, { instructionWorkdirRelative: ValidationSeverity.ERROR });
    expect(found.map(({ message, range }) => [range.start.line + 1, message])).toEqual([]);
  });

  test('ends with a user who is not root, a health check, and a signal that drains', () => {
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^HEALTHCHECK /m);
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m);
    expect(last).toMatch(/^ENTRYPOINT \["node", /m);
    expect(dockerfile).not.toMatch(/:latest|^ADD |sudo|curl .*\| *sh/m);
  });

  test('makes the first key itself, and has the default models in it', () => {
    expect(last).toMatch(/\bGRAFT_FIRST_KEY=on\b/);
    expect(last).toMatch(/^COPY --from=build \/graft\/models \.\/models$/m);
    expect(dockerfile).toMatch(/^RUN node scripts\/fetch-models\.mjs models$/m);
  });

  test('copies what exists, and sets variables that Graft reads', () => {
    const copied = [...last.matchAll(/^COPY --from=build (.*) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '));
    const made = ['/graft/node_modules', '/graft/dist', '/graft/models'];
    for (const path of copied.filter((each) => !made.includes(each)))
      expect([path, existsSync(join(packageRoot(), path.replace('/graft/', '')))]).toEqual([path, true]);
    const names = [...last.matchAll(/\b(GRAFT_\w+)=/g)].map(([, name]) => name!);
    expect(names.filter((name) => !variables.has(name))).toEqual([]);
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    for (const needed of ['prisma', 'schema', 'src/client/operations'].filter((each) => files.includes(each)))
      expect(copied).toContain(`/graft/${needed}`);
  });
});

describe('the compose file', () => {
  interface Service {
    image: string;
    user?: string;
    read_only?: boolean;
    ports?: string[];
    environment?: Record<string, string>;
    depends_on?: string[] | Record<string, unknown>;
    networks?: string[];
    stop_grace_period?: string;
  }
  const { services, networks } = load(read('deploy', 'compose', 'compose.yaml')) as {
    services: Record<string, Service>;
    networks: Record<string, { internal?: boolean }>;
  };
  const gateways = Object.entries(services).filter(([name]) => name.startsWith('gateway-'));

  test('has two gateways behind one proxy, which alone is reached from outside, on loopback', () => {
    expect(gateways).toHaveLength(2);
    const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port}`),
    );
    expect(published).toEqual(['proxy 127.0.0.1:8080:8080']);
    for (const [name] of gateways) expect(read('deploy', 'compose', 'Caddyfile')).toContain(`${name}:4000`);
    expect(networks.inside).toEqual({ internal: true });
    for (const name of ['postgres', 'chroma', 's3']) expect(services[name]!.networks).toEqual(['inside']);
  });

  test('runs gateways as the image does, with variables that Graft reads and no secret in the file', () => {
    for (const [, gateway] of gateways) {
      expect(gateway).toMatchObject({ user: '1000:1000', read_only: true, stop_grace_period: '50s' });
      expect(Object.keys(gateway.environment!).filter((name) => !variables.has(name))).toEqual([]);
    }
    for (const { environment = {} } of Object.values(services))
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|ACCESS_KEY/.test(name)) expect(value).toMatch(/^\$\{\w+:\?\}$/);
  });

  test('depends on services that it has, by images of a version', () => {
    for (const { depends_on: needed = [], image } of Object.values(services)) {
      for (const name of Array.isArray(needed) ? needed : Object.keys(needed)) expect(services).toHaveProperty(name);
      if (image !== 'graft') expect(image).toMatch(/:[\w.-]*\d/);
    }
  });
});
