import { Group, NumberInput, Paper, Select, Stack, Text, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { SetBudgetInConsoleDocument, type BudgetFieldsFragment, type BudgetWindow } from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { useAddress } from '../../parts/use-address';
import { WaitingButton } from '../../parts/waiting-button';
import { LIMITS, numberOf, WINDOWS, type Limit } from './limits';

type Values = Record<Limit['name'], number | null>;

const valuesOf = (budget: BudgetFieldsFragment | undefined): Values => ({
  requests: numberOf(budget?.requests ?? null),
  tokens: numberOf(budget?.tokens ?? null),
  concurrent: budget?.concurrent ?? null,
  trainingMinutes: budget?.trainingMinutes ?? null,
});

/** The limits of one window, as they are, to be changed. */
function Form({
  keyId,
  window,
  budget,
}: {
  keyId: string | null;
  window: BudgetWindow;
  budget: BudgetFieldsFragment | undefined;
}) {
  const [values, setValues] = useState(valuesOf(budget));
  const [{ error, fetching, data }, set] = useMutation(SetBudgetInConsoleDocument);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (fetching) return;
    await set({ input: { keyId, window, ...values } });
  };
  const none = LIMITS.every(({ name }) => values[name] === null);
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        <Group align="flex-start" gap="sm">
          {LIMITS.map(({ name, label }) => (
            <NumberInput
              key={name}
              label={label}
              placeholder="no limit"
              min={0}
              allowDecimal={name === 'trainingMinutes'}
              thousandSeparator=","
              value={values[name] ?? ''}
              onChange={(value) => setValues({ ...values, [name]: value === '' ? null : Number(value) })}
              w={160}
            />
          ))}
        </Group>
        {error && <ErrorState error={error} />}
        <Group gap="sm">
          <WaitingButton type="submit" waits={fetching ? 'Setting…' : null} disabled={none && budget === undefined}>
            {none && budget !== undefined ? 'Remove the budget' : 'Set the budget'}
          </WaitingButton>
          <Text size="sm" c="dimmed" role="status">
            {data && !fetching ? 'Set. It holds within a second on every gateway.' : ''}
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

export interface Subject {
  /** Id of the key; empty for the workspace. */
  value: string;
  label: string;
  budgets: readonly BudgetFieldsFragment[];
}

/** Whose budget, of which window: both stand in the address. */
export function SetBudget({ subjects }: { subjects: readonly Subject[] }) {
  const [address, change] = useAddress();
  const subject = subjects.find(({ value }) => value === (address.get('of') ?? '')) ?? subjects[0]!;
  const window = WINDOWS.find(({ value }) => value === address.get('window'))?.value ?? 'DAY';
  const budget = subject.budgets.find((each) => each.window === window);
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        Set a budget
      </Title>
      <Group mb="sm" align="flex-end">
        <Select
          label="Whose"
          data={subjects.map(({ value, label }) => ({ value: value || 'workspace', label }))}
          value={subject.value || 'workspace'}
          allowDeselect={false}
          searchable
          onChange={(value) => change({ of: value === 'workspace' ? null : value })}
          w={280}
        />
        <Select
          label="In"
          data={[...WINDOWS]}
          value={window}
          allowDeselect={false}
          onChange={(value) => change({ window: value === 'DAY' ? null : value })}
          w={140}
        />
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        An empty field has no limit, and no limit at all removes the budget. What was spent in the window stays spent.
      </Text>
      <Form
        key={`${subject.value} ${window} ${JSON.stringify(valuesOf(budget))}`}
        keyId={subject.value || null}
        window={window}
        budget={budget}
      />
    </Paper>
  );
}
