import { toVersion } from '../../learn/training/index.js';
import { runGraph, inputType } from '../../kit/graphql/index.js';
import { string, int, id } from '../../kernel/record.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { attestation } from './attestation-run.js';
import type { Attestor } from './attestor.js';

export const attestationRuns = runGraph(
  attestation.handledBy(({ attestor }: { attestor: Attestor }, context) => attestor.attest(context)),
);

const AttestAdapterInput = inputType('AttestAdapterInput', 'Which adapter version shall be shown to act.', {
  adapter: string('Name of the adapter.'),
  version: int('Number of the version, from 1.'),
  idempotencyKey: id('The same key with the same input is the same run; 1 to 200 characters.'),
});

interface AttestationResolverParts {
  attestor: Attestor;
  adapters: AdapterRegistry;
}

export const AttestationRunResolver = attestationRuns.startedBy('attestAdapter', {
  description:
    'Measures on fixed prompts what an adapter version changes where it is served, where it was trained, and that nothing of it stays behind. What doesn’t act, acts in part or acts otherwise ends with an error, and can’t be promoted.',
  input: AttestAdapterInput,
  argument: 'Which version.',
  payload: 'The run that measures what the adapter changes.',
  run: (parts: AttestationResolverParts, input, { workspaceId }) => parts.attestor.start(workspaceId, input),
  fields: {
    version: toVersion(
      'The version, with its attestation once the run succeeded; null when it was deleted.',
      ({ row }) => attestation.inputOf(row).adapterVersionId,
    ),
  },
});
