import { Group, NumberInput, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useQuery } from 'urql';
import {
  BudgetsOfKeyDocument,
  SetBudgetDocument,
  type BudgetFieldsFragment,
  type BudgetWindow,
  type KeyBudgetsFragment,
} from '../../generated/operations';
import { Form, OneOf, useSend } from '../../parts/form';
import { Loaded } from '../../parts/loaded';
import { Note, Section } from '../../parts/page';
import { useAddress } from '../../parts/use-address';
import { LIMITS, numberOf, WINDOWS, type Limit } from './budget-table';

type Values = Record<Limit['name'], number | null>;

const valuesOf = (budget: BudgetFieldsFragment | undefined): Values => ({
  requests: numberOf(budget?.requests ?? null),
  tokens: numberOf(budget?.tokens ?? null),
  concurrent: budget?.concurrent ?? null,
  trainingMinutes: budget?.trainingMinutes ?? null,
});

/** The limits of one window, as they are, to be changed. */
function Limits(props: { keyId: string | null; window: BudgetWindow; budget: BudgetFieldsFragment | undefined }) {
  const { keyId, window, budget } = props;
  const [values, setValues] = useState(valuesOf(budget));
  const set = useSend(SetBudgetDocument);
  const isUnlimited = LIMITS.every(({ name }) => values[name] === null);
  return (
    <Form
      sending={set}
      onSubmit={() => set.send({ keyId, window, ...values })}
      action={isUnlimited && budget !== undefined ? 'Remove the budget' : 'Set the budget'}
      waits="Setting…"
      disabled={isUnlimited && budget === undefined}
      justify="flex-start"
      gap="sm"
      beside={
        <Note role="status">{set.data && !set.fetching ? 'Set. It holds within a second on every gateway.' : ''}</Note>
      }
    >
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
    </Form>
  );
}

interface Subject {
  /** Id of the key; empty for the workspace. */
  value: string;
  label: string;
  budgets: readonly BudgetFieldsFragment[];
}

const ofKey = ({ id, name, prefix, budgets }: KeyBudgetsFragment): Subject => ({
  value: id,
  label: `${name} (${prefix})`,
  budgets,
});

/** A key that none of the pages shown has: an older one, or one that has no budget any more. */
function OtherKey({ id, children }: { id: string; children: (subject: Subject) => ReactNode }) {
  return (
    <Loaded shown={useQuery({ query: BudgetsOfKeyDocument, variables: { id } })} what="the key">
      {({ node }) => {
        if (node?.__typename !== 'ApiKey') return <Text size="sm">This workspace has no key of this address.</Text>;
        const subject = ofKey(node);
        if (node.revokedAt !== null) return <Text size="sm">{subject.label} was revoked: it spends nothing.</Text>;
        return children(subject);
      }}
    </Loaded>
  );
}

/** Whose budget, of which window: both stand in the address. */
export function SetBudget(props: {
  workspace: { budgets: readonly BudgetFieldsFragment[] };
  keys: readonly KeyBudgetsFragment[];
}) {
  const { workspace, keys } = props;
  const [address, change] = useAddress();
  const subjectId = address.get('of') ?? '';
  const subjects: Subject[] = [
    { value: '', label: 'The whole workspace', budgets: workspace.budgets },
    ...keys.map(ofKey),
  ];
  const subject = subjects.find(({ value }) => value === subjectId);
  const window = WINDOWS.find(({ value }) => value === address.get('window'))?.value ?? 'DAY';
  const formOf = ({ value, label, budgets }: Subject) => {
    const budget = budgets.find((candidate) => candidate.window === window);
    return (
      <>
        <Note mb="sm">
          {!subject && `Of ${label}. `}An empty field has no limit, and no limit at all removes the budget. What was
          spent in the window stays spent.
        </Note>
        <Limits
          key={`${value} ${window} ${JSON.stringify(valuesOf(budget))}`}
          keyId={value || null}
          window={window}
          budget={budget}
        />
      </>
    );
  };
  return (
    <Section title="Set a budget">
      <Group mb="sm" align="flex-end">
        <OneOf
          label="Whose"
          placeholder="Another key"
          data={subjects.map(({ value, label }) => ({ value: value || 'workspace', label }))}
          value={subject ? subject.value || 'workspace' : null}
          searchable
          onChange={(value) => change({ of: value === 'workspace' ? null : value })}
          w={280}
        />
        <OneOf
          label="In"
          data={WINDOWS}
          value={window}
          onChange={(value) => change({ window: value === 'DAY' ? null : value })}
          w={140}
        />
      </Group>
      {subject ? (
        formOf(subject)
      ) : (
        <OtherKey key={subjectId} id={subjectId}>
          {formOf}
        </OtherKey>
      )}
    </Section>
  );
}
