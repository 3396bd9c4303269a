import { Button, Group, NumberInput, Text, TextInput } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState } from 'react';
import {
  AlertRulesShownDocument,
  DeleteAlertRuleInConsoleDocument,
  SetAlertRuleInConsoleDocument,
  type AlertRulesShownQuery,
  type RuleMetric,
  type Side,
} from '../../generated/operations';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { Form, NameField, OneOf, useCreating, useSend } from '../../parts/form';
import { Loaded, ShowMore } from '../../parts/loaded';
import { ErrorState, Note, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { usePages } from '../../parts/use-pages';

type Rule = AlertRulesShownQuery['alertRules']['edges'][number]['node'];

/** What a rule looks at; where answers count beyond a limit, its unit. */
const METRICS: Readonly<Record<RuleMetric, { label: string; beyond?: string }>> = {
  ERROR_RATE: { label: 'failures' },
  ABSTENTION_RATE: { label: 'abstentions' },
  LATENCY: { label: 'slow answers', beyond: 'ms' },
  COST: { label: 'answers that cost much', beyond: 'ms' },
  PROMPT_TOKENS: { label: 'long prompts', beyond: 'tokens' },
  GENERATED_TOKENS: { label: 'long answers', beyond: 'tokens' },
  CONFIDENCE: { label: 'confidence' },
  RETRIEVAL_SCORE: { label: 'retrieval score' },
  ACCURACY: { label: 'right answers' },
};
const CHOICES = Object.entries(METRICS).map(([value, { label }]) => ({ value: value as RuleMetric, label }));
const SIDES: { value: Side; label: string }[] = [
  { value: 'ABOVE', label: 'above' },
  { value: 'BELOW', label: 'below' },
];

function NewRule({ onClose }: { onClose: () => void }) {
  const [name, setName] = useInputState('');
  const [metric, setMetric] = useState<RuleMetric>('ERROR_RATE');
  const [side, setSide] = useState<Side>('ABOVE');
  const [percent, setPercent] = useState<number | string>(5);
  const [beyond, setBeyond] = useState<number | string>(2_000);
  const [adapter, setAdapter] = useInputState('');
  const set = useSend(SetAlertRuleInConsoleDocument, onClose);
  const unit = METRICS[metric].beyond;
  const send = () =>
    set.send({
      name: name.trim(),
      metric,
      side,
      threshold: Number(percent) / 100,
      ...(unit !== undefined && { beyond: Number(beyond) }),
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
          value={beyond}
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
  const { label, beyond: unit } = METRICS[metric];
  const limit = beyond === null ? '' : ` (beyond ${beyond} ${unit ?? ''})`;
  return `${label}${limit} ${side === 'ABOVE' ? 'above' : 'below'} ${Number((100 * threshold).toPrecision(3))} %`;
};

/** Rules by which answers raise an alert: set and deleted here. */
export function AlertRules() {
  const pages = usePages(AlertRulesShownDocument, {}, ({ alertRules }) => alertRules);
  const creating = useCreating('New alert rule', NewRule);
  const [asked, setAsked] = useState<string | null>(null);
  const remove = useSend(DeleteAlertRuleInConsoleDocument, () => setAsked(null));
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
        asked={asked === null ? null : { title: `Delete the rule ${asked}?`, text: 'Its alerts stay.' }}
        confirm="Delete"
        onConfirm={() => asked !== null && remove.send({ name: asked })}
        onClose={() => setAsked(null)}
      />
    </Section>
  );
}
