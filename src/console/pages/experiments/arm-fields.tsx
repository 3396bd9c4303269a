import { Group, NumberInput, Select } from '@mantine/core';
import { productionOf, type Choices } from '../../parts/choices';
import { OneOf } from '../../parts/form';
import { STRATEGY_NAMES } from '../ask/names';
import { armOf, AUTO, versionsOf } from './arm';

const STRATEGIES = Object.entries(STRATEGY_NAMES).map(([value, label]) => ({ value, label }));

interface Props {
  params: URLSearchParams;
  choices: Choices;
  /** Sets fields in the address; null takes one out. */
  set: (fields: Record<string, string | null>) => void;
}

/** Whose questions are drawn, and what the second arm changes; the first answers as production does. */
export function ArmFields({ params, choices: { adapters, models }, set }: Props) {
  const { adapter } = armOf(params);
  const number = (label: string, name: string, maximum: number, step: number) => (
    <NumberInput
      label={label}
      placeholder="as it is"
      value={params.get(name) ?? ''}
      min={step === 1 ? 1 : 0}
      max={maximum}
      step={step}
      allowDecimal={step < 1}
      onChange={(value) => set({ [name]: String(value) || null })}
      w={230}
    />
  );
  const select = (label: string, name: string, data: readonly (string | { value: string; label: string })[]) => (
    <Select
      label={label}
      placeholder="as it is"
      data={[...data]}
      value={params.get(name)}
      clearable
      searchable={data.length > 8}
      onChange={(value) => set({ [name]: value })}
      w={240}
    />
  );
  return (
    <>
      <OneOf
        label="Whose questions"
        data={[
          { value: AUTO, label: 'Those that leave everything to Graft' },
          ...adapters
            .filter(({ versions }) => productionOf(versions))
            .map(({ name }) => ({ value: name, label: `Those that production of ${name} answers` })),
        ]}
        value={adapter ?? AUTO}
        // A version of another adapter can't answer these.
        onChange={(value) => set({ questions: value ?? AUTO, version: null })}
        maw={420}
      />
      <Group align="flex-end" role="group" aria-label="What the second arm changes">
        {select('Version', 'version', versionsOf(adapters, adapter))}
        {select('Strategy', 'strategy', STRATEGIES)}
        {select('Model', 'model', models)}
        {number('Weight of dense retrieval', 'dense', 1, 0.1)}
        {number('Most tokens of an answer', 'tokens', 512, 1)}
        {number('Temperature', 'temperature', 2, 0.1)}
      </Group>
    </>
  );
}
