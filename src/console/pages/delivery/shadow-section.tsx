import { Group, NumberInput, Select, Stack } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { ShadowsShownDocument, StartShadowDocument } from '../../generated/operations';
import { productionOf, useChoices, type AdapterChoice } from '../../parts/choices';
import { LineForm, useOneKey, useSend, Why } from '../../parts/form';
import { count, dateTime } from '../../parts/format';
import { ShowMore } from '../../parts/loaded';
import { ErrorState, Note, Section, To } from '../../parts/page';
import { shadowPath } from '../../parts/paths';
import { usePages } from '../../parts/use-pages';
import { ShadowBadge } from './shadow-view';

/** Versions that were shown to act and aren’t production, where there is a production to compare with; newest first. */
const readyOf = (adapters: readonly AdapterChoice[]): { value: string; label: string }[] =>
  adapters.flatMap(({ name, versions }) => {
    const production = productionOf(versions);
    if (!production) return [];
    return versions
      .filter(({ id, attestation }) => attestation && id !== production.id)
      .sort((a, b) => b.version - a.version)
      .map(({ version }) => ({
        value: `${name}@${version}`,
        label: `${name}: version ${version} beside ${production.version}`,
      }));
  });

function StartShadow({ ready }: { ready: ReturnType<typeof readyOf> }) {
  const [, go] = useLocation();
  const [version, setVersion] = useState<string | null>(null);
  const [percent, setPercent] = useState<number | string>(20);
  const [reason, setReason] = useInputState('');
  const idempotencyKey = useOneKey();
  const start = useSend(StartShadowDocument, (data) => go(shadowPath(data.startShadow.shadow.id)));
  const submit = () => {
    const [adapter, candidate] = version?.split('@') ?? [];
    if (adapter === undefined) return;
    const share = Number(percent) / 100;
    return start.send({ adapter, candidate: Number(candidate), share, reason, idempotencyKey });
  };
  return (
    <LineForm sending={start} onSubmit={submit} action="Compare unseen" waits="Starting…">
      <Select label="Version" data={ready} value={version} onChange={setVersion} required miw={280} />
      <NumberInput label="Share of questions, %" min={1} max={100} value={percent} onChange={setPercent} w={200} />
      <Why value={reason} onChange={setReason} />
    </LineForm>
  );
}

/** What versions would have said to users who never see it. */
export function ShadowSection() {
  const pages = usePages(ShadowsShownDocument, {}, ({ shadows }) => shadows);
  const ready = readyOf(useChoices().adapters);
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return null;
  if (edges.length + ready.length === 0) return null;
  return (
    <Section
      title="Compare a version unseen"
      says="It answers a sample of live questions behind everybody’s, and is compared with what was served; nobody meets it."
      mb="lg"
    >
      <Stack>
        {ready.length > 0 && <StartShadow ready={ready} />}
        {edges.map(({ node: { id, adapterName, candidateVersion, againstVersion, status, answered, createdAt } }) => (
          <Group key={id} gap="xs">
            <To href={shadowPath(id)} fw={600}>
              {adapterName}: version {candidateVersion} unseen beside {againstVersion}
            </To>
            <ShadowBadge status={status} />
            <Note size="xs">
              {count(answered)} questions put to it · {dateTime(createdAt)}
            </Note>
          </Group>
        ))}
        <ShowMore pages={pages} label="Show older shadows" />
      </Stack>
    </Section>
  );
}
