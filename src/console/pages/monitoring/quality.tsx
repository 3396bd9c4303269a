import { Group, Text } from '@mantine/core';
import { useQuery } from 'urql';
import {
  ProductionQualityDocument,
  QueueReviewsDocument,
  type ProductionQualityQuery,
} from '../../generated/operations';
import { useSend, WaitingButton } from '../../parts/form';
import { count, percent, plural } from '../../parts/format';
import { Loaded } from '../../parts/loaded';
import { ErrorState, Note, Section, To } from '../../parts/page';
import { timeOf, type View } from './view';

type Quality = ProductionQualityQuery['productionQuality'];

/** How many answers a press of the button draws. */
const DRAWN = 50;

const sentenceOf = ({ share, low, high, reviewed, answers, wanted }: Quality): string =>
  share === null || low === null || high === null
    ? `Not known yet: ${plural(reviewed, 'answer')} drawn at random and reviewed, ${count(wanted)} more wanted.`
    : `Right: ${percent(share)} (${Math.floor(100 * low)} to ${Math.ceil(100 * high)}), from ${count(reviewed)} reviewed and ${plural(answers, 'answer')}.`;

/** The share of right answers, and answers to draw and review where too few are. */
export function ProductionQuality({ view, now }: { view: View; now: number }) {
  const time = timeOf(view, now);
  const adapter = view.where.adapter ?? null;
  const result = useQuery({ query: ProductionQualityDocument, variables: { adapter, ...time } });
  const draw = useSend(QueueReviewsDocument, () => result[1]({ requestPolicy: 'network-only' }));
  return (
    <Section
      title="Quality"
      says={`What ${adapter === null ? 'all answers' : `the answers of ${adapter}`} say of themselves, corrected by some that people review.`}
      data-testid="quality"
    >
      <Loaded shown={result} what="quality">
        {({ productionQuality: quality }) => (
          <Group gap="sm">
            <Text size="sm">{sentenceOf(quality)}</Text>
            {quality.waiting > 0 ? (
              <To href="/review?reason=SAMPLED">Review {plural(quality.waiting, 'drawn answer')}</To>
            ) : (
              quality.answers + quality.others > quality.reviewed && (
                <WaitingButton
                  variant="default"
                  size="compact-sm"
                  waits={draw.fetching && 'Drawing…'}
                  onClick={() => draw.send({ draw: { adapter, ...time, most: DRAWN } })}
                >
                  Draw {DRAWN} to review
                </WaitingButton>
              )
            )}
            {quality.share !== null && quality.others > 0 && (
              <Note>It leaves out {plural(quality.others, 'answer')} of which too few were drawn.</Note>
            )}
          </Group>
        )}
      </Loaded>
      <ErrorState error={draw.error} />
    </Section>
  );
}
