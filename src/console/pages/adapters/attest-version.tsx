import { Text } from '@mantine/core';
import { AttestationShownDocument, AttestInConsoleDocument } from '../../generated/operations';
import { RunDialog } from '../../parts/run-dialog';
import { useStartedRun } from '../../parts/use-run';

export function AttestVersion({
  adapter,
  version,
  onClose,
}: {
  adapter: string;
  version: number;
  onClose: () => void;
}) {
  const run = useStartedRun(AttestInConsoleDocument, AttestationShownDocument);
  return (
    <RunDialog
      run={run}
      action={`Attest version ${version}`}
      waits="Reading the prompts…"
      onStart={() => run.start({ adapter, version })}
      onClose={onClose}
    >
      <Text size="sm">
        Eight fixed prompts are read by the model with and without the adapter, where it is served and where it was
        trained. The two changes must agree, and nothing may stay when it is off. This takes a minute or two.
      </Text>
    </RunDialog>
  );
}
