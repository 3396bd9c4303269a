import { Checkbox, Select } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { StartRolloutDocument, type RolloutTemplate } from '../../generated/operations';
import { productionOf, useChoices } from '../../parts/choices';
import { LineForm, OneOf, useOneKey, useSend, Why } from '../../parts/form';
import { Note, Section } from '../../parts/page';
import { rolloutPath } from '../../parts/paths';

const TEMPLATES: { value: RolloutTemplate; label: string }[] = [
  { value: 'STANDARD', label: 'Standard: 1, 5, 10, 25, 50 %' },
  { value: 'CAREFUL', label: 'Careful: longer, with an approval at 10 %' },
  { value: 'QUICK', label: 'Quick: 10, 50 %, for trying it out' },
];

/** Gives the candidate of an adapter to ever more users. */
export function StartRollout() {
  const [, go] = useLocation();
  const { adapters, loaded } = useChoices();
  const [adapter, setAdapter] = useState<string | null>(null);
  const [template, setTemplate] = useState<RolloutTemplate>('STANDARD');
  const [reason, setReason] = useInputState('');
  const [requireShadow, setRequireShadow] = useInputState(false);
  const idempotencyKey = useOneKey();
  const start = useSend(StartRolloutDocument, (data) => go(rolloutPath(data.startRollout.rollout.id)));
  const ready = adapters.flatMap(({ name, versions }) => {
    const production = productionOf(versions);
    const candidate = versions.find(({ aliases }) => aliases.includes('CANDIDATE'));
    return candidate && production && candidate.id !== production.id
      ? [{ value: name, label: `${name}: version ${candidate.version} beside ${production.version}` }]
      : [];
  });
  return (
    <Section title="Give a candidate to users" mb="lg">
      {loaded && ready.length === 0 ? (
        <Note>
          No adapter has a candidate beside a version in production. A first version goes to production on the adapter’s
          page, without a rollout. Train, attest and evaluate a later one, and promote it to candidate there.
        </Note>
      ) : (
        <LineForm
          sending={start}
          onSubmit={() => adapter !== null && start.send({ adapter, template, requireShadow, reason, idempotencyKey })}
          action="Start"
          waits="Starting…"
          below={
            <Checkbox
              mt="sm"
              label="Only if it was compared unseen before"
              checked={requireShadow}
              onChange={setRequireShadow}
            />
          }
        >
          <Select label="Adapter" data={ready} value={adapter} onChange={setAdapter} required miw={280} />
          <OneOf label="Plan" data={TEMPLATES} value={template} onChange={setTemplate} miw={280} />
          <Why value={reason} onChange={setReason} />
        </LineForm>
      )}
    </Section>
  );
}
