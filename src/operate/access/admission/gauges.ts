import type { GaugeSource } from '../../../platform/telemetry/index.js';
import type { Admission } from './admission.js';

type Samples = Awaited<ReturnType<GaugeSource['read']>>;
type State = ReturnType<Admission['state']>;

/** What `/metrics` shows of what was let in. */
export function admissionGauges(admission: Admission): GaugeSource[] {
  const samples = (value: (of: State[keyof State]) => number): Samples =>
    Object.entries(admission.state()).map(([kind, lineState]) => ({ labels: { kind }, value: value(lineState) }));
  return [
    {
      name: 'graft_admitted',
      help: 'Answers and searches that people wait for, waiting or running.',
      labels: ['kind'],
      read: () => samples(({ underWay }) => underWay),
    },
    {
      name: 'graft_expected_wait_seconds',
      help: 'How long the next answer or search would wait for those before it; beyond GRAFT_MAX_WAIT_SECONDS it is refused.',
      labels: ['kind'],
      read: () => samples(({ waitMs }) => waitMs / 1000),
    },
  ];
}
