import { fieldsOf, toMany } from '../../../kit/graphql/index.js';
import { Series } from '../series/series-graphql.js';
import { Alert, toAlert } from './alert-graphql.js';
import type { AlertService } from './alert-service.js';
import { speaksOf } from './rule.js';

type During = Awaited<ReturnType<AlertService['store']['during']>>;

/** From a series to what was raised about it. */
export const SeriesAlertsResolver = fieldsOf<Series, { alerts: AlertService }>(() => Series, {
  alerts: toMany(
    () => Alert,
    'Alerts of its span about its answers, newest first, at most 200: of rules on its metric, and of a LABEL_MIX those of drift of labels.',
    async ({ metric, about }, context, { alerts }) => {
      const { from, to, where } = about;
      // Every series of a request has the same span: they share one statement.
      const during = context.loader<string, During>('monitoring.alertsDuring', (spans) =>
        Promise.all(
          spans.map((span) => {
            const [start, until] = span.split(' ').map((timestamp) => new Date(Number(timestamp))) as [Date, Date];
            return alerts.store.during(context.workspaceId, start, until);
          }),
        ),
      );
      const entries = (await during.load(`${from.getTime()} ${to.getTime()}`)) ?? [];
      return entries
        .filter(({ alert, rule }) => {
          if (rule) return speaksOf(rule, metric, where);
          if (metric !== 'LABEL_MIX' || alert.kind !== 'LABELS') return false;
          return where.adapter === undefined || alert.source.endsWith(`:${where.adapter}`);
        })
        .map(({ alert }) => toAlert(alert));
    },
  ),
});
