import { Button, Group, NumberInput, Text, TextInput } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState } from 'react';
import { metricsFor } from '../../../answer/ask/answer-metrics';
import {
  AlertRulesDocument,
  DeleteAlertRuleDocument,
  SetAlertRuleDocument,
  type AlertRulesQuery,
  type RuleMetric,
  type Side,
} from '../../generated/operations';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { Form, NameField, OneOf, useCreating, useSend } from '../../parts/form';
import { Loaded, ShowMore } from '../../parts/loaded';
import { ErrorState, Note, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { usePages } from '../../parts/use-pages';

type Rule = AlertRulesQuery['alertRules']['edges'][number]['node'];

const METRICS = metricsFor('rule');
const CHOICES = Object.values(METRICS).map(({ name, title }) => ({ value: name, label: title }));

/** The unit of the limit beyond which an answer counts; undefined where all count. */
const unitOf = (metric: RuleMetric): string | undefined => METRICS[metric].unit;

const SIDES: { value: Side; label: string }[] = [
  { value: 'ABOVE', label: 'above' },
  { value: 'BELOW', label: 'below' },
];

function NewRule({ onClose }: { onClose: () => void }) {
  const [name, setName] = useInputState('');
  const [metric, setMetric] = useState<RuleMetric>('ERROR_RATE');
  const [side, setSide] = useState<Side>('ABOVE');
  const [percent, setPercent] = useState<number | string>(5);
  const [limit, setBeyond] = useState<number | string>(2_000);
  const [adapter, setAdapter] = useInputState('');
  const set = useSend(SetAlertRuleDocument, onClose);
  const unit = unitOf(metric);
  const send = () =>
    set.send({
      name: name.trim(),
      metric,
      side,
      threshold: Number(percent) / 100,
      ...(unit !== undefined && { beyond: Number(limit) }),
      ...(adapter.trim() !== '' && { where: { adapter: adapter.trim() } }),
    });
  return (
    <Form
      sending={set}
      onSubmit={send}
      action="Set the rule"
      waits="Setting…"
      disabled={name.trim() === ''}
      onCancel={onClose}
    >
      <NameField description="A rule of this name is replaced." value={name} onChange={setName} />
      <OneOf label="Alert where" data={CHOICES} value={metric} onChange={setMetric} />
      {unit !== undefined && (
        <NumberInput
          label={`An answer counts beyond, in ${unit}`}
          min={1}
          value={limit}
          onChange={setBeyond}
          required
        />
      )}
      <Group grow align="flex-end">
        <OneOf label="are" data={SIDES} value={side} onChange={setSide} />
        <NumberInput label="Percent" min={0.1} max={99.9} value={percent} onChange={setPercent} required />
      </Group>
      <TextInput label="Only adapter" placeholder="all answers, or routing@3" value={adapter} onChange={setAdapter} />
    </Form>
  );
}

const sentenceOf = ({ metric, side, threshold, beyond }: Rule): string => {
  const limit = beyond === null ? '' : ` (beyond ${beyond} ${unitOf(metric) ?? ''})`;
  return `${METRICS[metric].title}${limit} ${side === 'ABOVE' ? 'above' : 'below'} ${Number((100 * threshold).toPrecision(3))} %`;
};

/** Rules by which answers raise an alert: set and deleted here. */
export function AlertRules() {
  const pages = usePages(AlertRulesDocument, { first: 50 }, ({ alertRules }) => alertRules);
  const creating = useCreating('New alert rule', NewRule);
  const [ruleToDelete, setAsked] = useState<string | null>(null);
  const remove = useSend(DeleteAlertRuleDocument, () => setAsked(null));
  return (
    <Section title="Alert rules" says="Each answer is tested once, so that looking often makes no false alarm.">
      <Loaded shown={pages} what="the alert rules">
        {() =>
          pages.edges.length === 0 ? (
            <Note mb="sm">There is no rule yet. Questions and labels are watched without one.</Note>
          ) : (
            <DataTable
              label="Alert rules"
              minWidth={420}
              testId="alert-rule"
              rows={pages.edges.map(({ node }) => node)}
              keyOf={({ id }) => id}
              columns={[
                { head: 'Rule', label: null, cell: ({ name }) => <Text size="sm">{name}</Text> },
                { head: 'Alerts where', cell: sentenceOf },
                {
                  head: '',
                  cell: ({ name }) => (
                    <Button
                      variant="default"
                      size="compact-sm"
                      aria-label={`Delete the rule ${name}`}
                      onClick={() => setAsked(name)}
                    >
                      Delete
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <ShowMore pages={pages} label="Show further rules" />
      {creating.button}
      {creating.dialog}
      <ErrorState error={remove.error} />
      <ConfirmDialog
        asked={ruleToDelete === null ? null : { title: `Delete the rule ${ruleToDelete}?`, text: 'Its alerts stay.' }}
        confirm="Delete"
        onConfirm={() => ruleToDelete !== null && remove.send({ name: ruleToDelete })}
        onClose={() => setAsked(null)}
      />
    </Section>
  );
}
